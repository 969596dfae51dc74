#include <algorithm>
#include <map>

#include "core/base/query_string.h"
#include "core/sources/verify/request_parts.h"
#include "core/sources/verify/verifiers.h"

namespace hookswitch::verify {
namespace {

// V3 comes twice: made with the token of the account, and with that of the account above it.
const std::vector<std::string> kPlivoV3 = {"X-Plivo-Signature-V3", "X-Plivo-Signature-Ma-V3"};
const std::string kPlivoV3Nonce = "X-Plivo-Signature-V3-Nonce";
constexpr std::size_t kLongestNonce = 64;
const std::string kPlivoV2 = "X-Plivo-Signature-V2", kPlivoV2Nonce = "X-Plivo-Signature-V2-Nonce";

// In the order of the names, and of the values of one name.
std::string SortedPairs(std::vector<std::pair<std::string, std::string>> fields, std::string_view equals,
                        std::string_view between) {
  std::sort(fields.begin(), fields.end());
  std::string text;
  for (const auto& [name, value] : fields) {
    if (!text.empty()) text += between;
    text.append(name).append(equals).append(value);
  }
  return text;
}

/// github.com/plivo/plivo-python, plivo/utils/signature_v3.py; V2: plivo/utils/__init__.py. V2 covers the URL without
/// its query, and no body.
class PlivoVerifier final : public Verifier {
 public:
  explicit PlivoVerifier(const config::Verify& config) : secrets_(config.secrets), version_(config.plivo_version) {}

  std::optional<Fault> CheckHead(const SignedRequest& head, WallTime) const override {
    const auto read = Read(head);
    if (const auto* fault = std::get_if<Fault>(&read)) return *fault;
    return {};
  }

  std::optional<Fault> Check(const SignedRequest& request, WallTime) const override {
    const auto read = Read(request);
    if (const auto* fault = std::get_if<Fault>(&read)) return *fault;
    const auto& [signatures, nonce, is_v3] = std::get<Head>(read);
    const UrlParts parts = PartsOf(request.url);
    std::string text(parts.scheme);
    text.append("://").append(parts.authority).append(parts.path);
    if (is_v3) {
      std::vector<std::pair<std::string, std::string>> fields;
      if (!request.body.empty()) {
        auto form = FormOf(request);
        if (!form) return Fault{Fault::Kind::kWrong, "the body is no form"};
        fields = std::move(*form);
      }
      const std::string query = SortedPairs(FormFields(parts.query.value_or("")), "=", "&");
      if (!query.empty() || !fields.empty()) text.append(1, '?').append(query);
      if (!query.empty() && !fields.empty()) text += '.';
      text.append(SortedPairs(std::move(fields), "", "")).append(1, '.');
    }
    text += nonce;
    for (const Secret& secret : secrets_) {
      const std::string code = Hmac(HashAlgorithm::kSha256, secret.Reveal(), text);
      if (std::any_of(signatures.begin(), signatures.end(),
                      [&](const std::string& signature) { return SameBytes(signature, code); })) {
        return {};
      }
    }
    return Fault{Fault::Kind::kWrong,
                 "the signature is not that of the request; it covers the URL that Plivo calls, and "
                 "must be made with the account's auth token"};
  }

 private:
  struct Head {
    std::vector<std::string> signatures;  // decoded
    std::string_view nonce;
    bool is_v3 = true;
  };

  std::variant<Head, Fault> Read(const SignedRequest& request) const {
    Head head;
    head.is_v3 = version_ == 3;
    std::optional<Fault> fault;
    if (head.is_v3) {
      for (const std::string& name : kPlivoV3) AddSignatures(OnlyHeader(request, name), head, fault);
    } else {
      AddSignatures(OnlyHeader(request, kPlivoV2), head, fault);
    }
    if (head.signatures.empty()) {
      return fault.value_or(Fault{Fault::Kind::kWrong, "the signature is not base64"});
    }
    const auto nonce = OnlyHeader(request, head.is_v3 ? kPlivoV3Nonce : kPlivoV2Nonce);
    if (const auto* missing = std::get_if<Fault>(&nonce)) return *missing;
    head.nonce = std::get<std::string_view>(nonce);
    // With other characters a part of the signed text could be moved into it.
    const bool is_plain = std::ranges::all_of(head.nonce, [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    });
    if (!is_plain || head.nonce.size() > kLongestNonce)
      return Fault{Fault::Kind::kWrong, "the nonce is none of Plivo's"};
    return head;
  }

  static bool IsAbsent(const std::optional<Fault>& fault) { return fault && fault->kind == Fault::Kind::kMissing; }

  // Keeps the first fault, or the first that is worse than a header that is not there.
  static void AddSignatures(const std::variant<std::string_view, Fault>& header, Head& head,
                            std::optional<Fault>& fault) {
    if (const auto* found = std::get_if<Fault>(&header)) {
      if (!fault || IsAbsent(fault)) fault = *found;
      return;
    }
    for (const std::string_view item : Items(std::get<std::string_view>(header))) {
      auto bytes = Decoded(config::Verify::Encoding::kBase64, item);
      if (bytes && head.signatures.size() < kMostSignatures) head.signatures.push_back(std::move(*bytes));
    }
  }

  const std::vector<Secret> secrets_;
  const int version_;
};

}  // namespace

std::shared_ptr<const Verifier> MakePlivoVerifier(const config::Verify& config) {
  return std::make_shared<PlivoVerifier>(config);
}

}  // namespace hookswitch::verify
