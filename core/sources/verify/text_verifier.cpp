#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/encoding.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/sources/verify/request_parts.h"
#include "core/sources/verify/verifiers.h"

namespace hookswitch::verify {
namespace {

using config::SignedPart;
using config::Verify;

Fault IsMissing(std::string detail) {
  return {Fault::Kind::kMissing, std::move(detail)};
}
Fault IsWrong(std::string detail) {
  return {Fault::Kind::kWrong, std::move(detail)};
}

/// The value at `path`; nullptr if it is absent. A value that is no object, before the path's end, gives the document:
/// it is not absent, because a mapping may find the path within a text.
const json::value* At(const json::value& document, std::string_view path) {
  const json::value* at = &document;
  while (at && !path.empty() && !at->is_null()) {
    const auto* object = at->if_object();
    if (!object) return &document;
    const auto end = std::min(path.find('.'), path.size());
    at = object->if_contains(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return at && !at->is_null() ? at : nullptr;
}

/// The text or number in a body of JSON at the first of `paths` ("call.id|id") that is there.
std::variant<std::string, Fault> MemberOf(std::string_view body, std::string_view paths) {
  json::error_code error;
  const json::value document = json::parse(body, error);
  if (error) return IsWrong("the body is not JSON");
  const json::value* found = nullptr;
  for (std::string_view rest = paths; !found && !rest.empty();) {
    const auto end = std::min(rest.find('|'), rest.size());
    found = At(document, rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (!found) return IsMissing("the body has no " + std::string(paths));
  if (const auto* text = found->if_string()) return std::string(text->data(), text->size());
  if (found->is_number()) return ToText(*found);
  return IsWrong(std::string(paths) + " in the body is neither a text nor a number");
}

class TextVerifier final : public Verifier {
 public:
  explicit TextVerifier(const Verify& config) : config_(config) {
    if (config.scheme != Verify::Scheme::kEd25519) return;
    for (const Secret& secret : config.secrets) {
      if (auto key = Ed25519Key::Parse(secret.Reveal())) public_keys_.push_back(std::move(*key));
    }
  }

  std::optional<Fault> CheckHead(const SignedRequest& head, WallTime now) const override {
    const auto read = Read(head, now);
    if (const auto* fault = std::get_if<Fault>(&read)) return *fault;
    return {};
  }

  std::optional<Fault> Check(const SignedRequest& request, WallTime now) const override {
    const auto read = Read(request, now);
    if (const auto* fault = std::get_if<Fault>(&read)) return *fault;
    const Head& head = std::get<Head>(read);
    const auto text = SignedText(request, head);
    if (const auto* fault = std::get_if<Fault>(&text)) return *fault;
    if (!Matches(std::get<std::string>(text), head.signatures))
      return IsWrong("the signature is not that of the request");
    return {};
  }

 private:
  struct Head {
    std::vector<std::string> signatures;  // decoded
    std::string_view timestamp, id;       // as sent
  };

  std::variant<Head, Fault> Read(const SignedRequest& request, WallTime now) const {
    const auto header = OnlyHeader(request, config_.headers);
    if (const auto* fault = std::get_if<Fault>(&header)) return *fault;
    const std::string_view value = std::get<std::string_view>(header);
    Head head;
    if (auto fault = ReadTimestamp(request, value, now, head)) return std::move(*fault);
    if (!config_.id_header.empty()) {
      const auto id = OnlyHeader(request, config_.id_header);
      if (const auto* fault = std::get_if<Fault>(&id)) return *fault;
      head.id = std::get<std::string_view>(id);
    }
    for (const SignedPart& part : config_.signed_text) {
      if (part.kind != SignedPart::Kind::kHeader) continue;
      const auto found = OnlyHeader(request, part.text);
      if (const auto* fault = std::get_if<Fault>(&found)) return *fault;
    }
    if (auto fault = ReadSignatures(value, head)) return std::move(*fault);
    return head;
  }

  // The value of `key` in a header such as "t=1,v1=ab"; a fault if it is not there, or there twice.
  static std::variant<std::string_view, Fault> PartOf(std::string_view value, const std::string& key) {
    std::optional<std::string_view> found;
    for (const std::string_view item : Items(value)) {
      if (item.substr(0, item.find('=')) != key || item.size() <= key.size()) continue;
      if (found) return IsWrong("the signature's header has " + key + "= more than once");
      found = item.substr(key.size() + 1);
    }
    if (!found) return IsMissing("the signature's header has no " + key + "=");
    return *found;
  }

  std::optional<Fault> ReadTimestamp(const SignedRequest& request, std::string_view value, WallTime now,
                                     Head& head) const {
    if (config_.timestamp_header.empty() && config_.timestamp_part.empty()) return {};
    const auto found = config_.timestamp_header.empty() ? PartOf(value, config_.timestamp_part)
                                                        : OnlyHeader(request, config_.timestamp_header);
    if (const auto* fault = std::get_if<Fault>(&found)) return *fault;
    head.timestamp = std::get<std::string_view>(found);
    const auto at = ReadTime(head.timestamp, config_.timestamp_unit);
    if (!at) return IsWrong("the timestamp is no time");
    return CheckAge(*at, now, config_.tolerance);
  }

  // Whether the part of the header with this key may be a signature.
  bool IsSignature(std::string_view key) const {
    return config_.part.empty() ? key != config_.timestamp_part : key == config_.part;
  }

  std::optional<Fault> ReadSignatures(std::string_view value, Head& head) const {
    const bool has_parts = !config_.part.empty() || !config_.timestamp_part.empty();
    const auto whole = has_parts ? std::optional(value) : Behind(config_.prefix, value);
    if (!whole) return IsWrong("the signature does not begin with its prefix");
    bool is_there = false;
    for (std::string_view item : Items(*whole)) {
      if (has_parts) {
        const auto end = item.find('=');
        if (end == item.npos || !IsSignature(item.substr(0, end))) continue;
        item.remove_prefix(end + 1);
      }
      is_there = true;
      auto bytes = Decoded(config_.encoding, Behind(config_.prefix, item).value_or(item));
      if (bytes && head.signatures.size() < kMostSignatures) head.signatures.push_back(std::move(*bytes));
    }
    if (!is_there) return IsMissing("the header holds no signature");
    if (!head.signatures.empty()) return {};
    return IsWrong(config_.encoding == Verify::Encoding::kHex ? "the signature is not hex"
                                                              : "the signature is not base64");
  }

  std::variant<std::string, Fault> SignedText(const SignedRequest& request, const Head& head) const {
    using Kind = SignedPart::Kind;
    std::string text;
    text.reserve(request.body.size() + 256);
    for (const SignedPart& part : config_.signed_text) {
      switch (part.kind) {
        case Kind::kText: text += part.text; break;
        case Kind::kBody: text += request.body; break;
        case Kind::kBodyMd5: {
          if (request.body.empty()) break;
          const std::string digest = Md5Of(request.body);
          if (digest.empty()) return IsWrong("this system forbids MD5, which the signature needs");
          text += Base64(digest);
          break;
        }
        case Kind::kTimestamp: text += head.timestamp; break;
        case Kind::kId: text += head.id; break;
        case Kind::kUrl: text += request.url; break;
        case Kind::kPath: text += PartsOf(request.url).path; break;
        case Kind::kMethod: text += request.method; break;
        case Kind::kHeader: {
          const auto value = OnlyHeader(request, part.text);
          if (const auto* found = std::get_if<std::string_view>(&value)) text += *found;
          break;
        }
        case Kind::kJson: {
          const auto value = MemberOf(request.body, part.text);
          if (const auto* fault = std::get_if<Fault>(&value)) return *fault;
          text += std::get<std::string>(value);
          break;
        }
      }
    }
    return text;
  }

  bool Matches(std::string_view text, const std::vector<std::string>& signatures) const {
    const auto any = [&](const auto& is_right) { return std::any_of(signatures.begin(), signatures.end(), is_right); };
    if (config_.scheme == Verify::Scheme::kEd25519) {
      return std::any_of(public_keys_.begin(), public_keys_.end(), [&](const Ed25519Key& key) {
        return any([&](const std::string& signature) { return key.Verifies(text, signature); });
      });
    }
    return std::any_of(config_.secrets.begin(), config_.secrets.end(), [&](const Secret& secret) {
      const std::string code = Hmac(config_.algorithm, secret.Reveal(), text);
      return any([&](const std::string& signature) { return SameBytes(signature, code); });
    });
  }

  const Verify config_;
  std::vector<Ed25519Key> public_keys_;
};

}  // namespace

std::shared_ptr<const Verifier> MakeTextVerifier(const config::Verify& config) {
  return std::make_shared<TextVerifier>(config);
}

}  // namespace hookswitch::verify
