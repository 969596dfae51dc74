#include <algorithm>

#include "core/base/encoding.h"
#include "core/sources/verify/request_parts.h"
#include "core/sources/verify/verifiers.h"

namespace hookswitch::verify {
namespace {

constexpr std::string_view kSecretPrefix = "whsec_", kPublicKeyPrefix = "whpk_";

class StandardVerifier final : public Verifier {
 public:
  explicit StandardVerifier(const config::Verify& config) : tolerance_(config.tolerance) {
    for (const Secret& secret : config.secrets) {
      std::string_view text = secret.Reveal();
      if (text.starts_with(kPublicKeyPrefix)) {
        auto key = Ed25519Key::Parse(text.substr(kPublicKeyPrefix.size()));
        if (key) public_keys_.push_back(std::move(*key));
      } else {
        if (text.starts_with(kSecretPrefix)) text.remove_prefix(kSecretPrefix.size());
        auto bytes = FromBase64(text);
        if (bytes) secrets_.emplace_back(std::move(*bytes));
      }
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
    const auto& [id, timestamp, signatures] = std::get<Head>(read);
    std::string text;
    text.reserve(id.size() + timestamp.size() + request.body.size() + 2);
    text.append(id).append(1, '.').append(timestamp).append(1, '.').append(request.body);
    // One HMAC per secret, however many signatures there are.
    std::vector<std::string> codes;
    for (const Secret& secret : secrets_) codes.push_back(Hmac(HashAlgorithm::kSha256, secret.Reveal(), text));
    std::size_t looked_at = 0;
    for (const std::string_view item : signatures) {
      if (++looked_at > kMostSignatures) break;
      const auto comma = item.find(',');
      if (comma == item.npos) continue;
      const auto bytes = Decoded(config::Verify::Encoding::kBase64, item.substr(comma + 1));
      if (bytes && Matches(item.substr(0, comma), text, codes, *bytes)) return {};
    }
    return Fault{Fault::Kind::kWrong, "no signature in the list is that of the request"};
  }

 private:
  struct Head {
    std::string_view id, timestamp;            // as sent
    std::vector<std::string_view> signatures;  // "v1,…"
  };

  std::variant<Head, Fault> Read(const SignedRequest& request, WallTime now) const {
    // Svix, where the standard comes from, has names of its own for the same headers (docs.svix.com/receiving).
    const auto id = OnlyHeader(request, std::vector<std::string>{"webhook-id", "svix-id"});
    if (const auto* fault = std::get_if<Fault>(&id)) return *fault;
    const auto timestamp = OnlyHeader(request, std::vector<std::string>{"webhook-timestamp", "svix-timestamp"});
    if (const auto* fault = std::get_if<Fault>(&timestamp)) return *fault;
    const auto list = OnlyHeader(request, std::vector<std::string>{"webhook-signature", "svix-signature"});
    if (const auto* fault = std::get_if<Fault>(&list)) return *fault;
    Head head{std::get<std::string_view>(id), std::get<std::string_view>(timestamp), {}};
    const auto at = ReadTime(head.timestamp, config::Verify::TimeUnit::kSeconds);
    if (!at) return Fault{Fault::Kind::kWrong, "the timestamp is no number of seconds"};
    if (auto fault = CheckAge(*at, now, tolerance_)) return std::move(*fault);
    std::string_view rest = std::get<std::string_view>(list);
    while (!rest.empty()) {
      const auto end = std::min(rest.find(' '), rest.size());
      if (end > 0) head.signatures.push_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return head;
  }

  bool Matches(std::string_view version, std::string_view text, const std::vector<std::string>& codes,
               std::string_view signature) const {
    if (version == "v1") {
      return std::ranges::any_of(codes, [&](const std::string& code) { return SameBytes(signature, code); });
    }
    return version == "v1a" &&
           std::ranges::any_of(public_keys_, [&](const Ed25519Key& key) { return key.Verifies(text, signature); });
  }

  const std::chrono::milliseconds tolerance_;
  std::vector<Secret> secrets_;
  std::vector<Ed25519Key> public_keys_;
};

}  // namespace

std::shared_ptr<const Verifier> MakeStandardVerifier(const config::Verify& config) {
  return std::make_shared<StandardVerifier>(config);
}

}  // namespace hookswitch::verify
