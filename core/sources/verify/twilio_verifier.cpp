#include <algorithm>
#include <map>
#include <set>

#include "core/base/encoding.h"
#include "core/base/query_string.h"
#include "core/base/sha256.h"
#include "core/base/text.h"
#include "core/sources/verify/request_parts.h"
#include "core/sources/verify/verifiers.h"

namespace hookswitch::verify {
namespace {

const std::string kTwilioSignature = "X-Twilio-Signature";

// Each name once, in order; of a name that came with several values each different one.
std::string SortedFields(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::map<std::string_view, std::set<std::string_view>> sorted;
  for (const auto& [name, value] : fields) sorted[name].insert(value);
  std::string text;
  for (const auto& [name, values] : sorted) {
    for (const std::string_view value : values) text.append(name).append(value);
  }
  return text;
}

// Twilio signs the URL with or without the port of its scheme, whatever it was configured with; its own libraries try
// both (github.com/twilio/twilio-python, request_validator.py).
std::vector<std::string> SpellingsOf(std::string_view url) {
  std::vector<std::string> spellings{std::string(url)};
  const UrlParts parts = PartsOf(url);
  if (parts.scheme.empty()) return spellings;
  const auto colon = parts.authority.rfind(':');
  const bool has_port = colon != parts.authority.npos && parts.authority.find(']', colon) == parts.authority.npos;
  const std::string_view host = parts.authority.substr(0, has_port ? colon : parts.authority.npos);
  const std::string_view rest = url.substr(parts.scheme.size() + 3 + parts.authority.size());
  const std::string begin = std::string(parts.scheme) + "://" + std::string(host);
  const std::string port = EqualsIgnoreCase(parts.scheme, "https") ? ":443" : ":80";
  spellings.push_back(has_port ? begin + std::string(rest) : begin + port + std::string(rest));
  return spellings;
}

/// www.twilio.com/docs/usage/security
class TwilioVerifier final : public Verifier {
 public:
  explicit TwilioVerifier(const config::Verify& config) : secrets_(config.secrets) {}

  std::optional<Fault> CheckHead(const SignedRequest& head, WallTime) const override {
    const auto signature = OnlyHeader(head, kTwilioSignature);
    if (const auto* fault = std::get_if<Fault>(&signature)) return *fault;
    return {};
  }

  std::optional<Fault> Check(const SignedRequest& request, WallTime) const override {
    const auto header = OnlyHeader(request, kTwilioSignature);
    if (const auto* fault = std::get_if<Fault>(&header)) return *fault;
    const auto signature = Decoded(config::Verify::Encoding::kBase64, std::get<std::string_view>(header));
    if (!signature) return Fault{Fault::Kind::kWrong, "the signature is not base64"};
    const auto ends = EndsOf(request);
    if (ends.empty()) {
      return Fault{Fault::Kind::kWrong, "the body is no form, and bodySHA256 in the URL is not that of the body"};
    }
    for (const std::string& url : SpellingsOf(request.url)) {
      for (const std::string& end : ends) {
        const std::string text = url + end;
        for (const Secret& secret : secrets_) {
          if (SameBytes(*signature, Hmac(HashAlgorithm::kSha1, secret.Reveal(), text))) return {};
        }
      }
    }
    return Fault{Fault::Kind::kWrong,
                 "the signature is not that of the request; it covers the URL that Twilio calls, "
                 "and must be made with the account's auth token"};
  }

 private:
  // What may stand behind the URL in the signed text: the fields of a form; nothing, if the body's checksum is in the
  // URL.
  static std::vector<std::string> EndsOf(const SignedRequest& request) {
    std::vector<std::string> ends;
    if (request.body.empty()) ends.emplace_back();
    if (const auto fields = FormOf(request)) ends.push_back(SortedFields(*fields));
    std::string_view query = PartsOf(request.url).query.value_or("");
    while (const auto parameter = TakeParameter(query)) {
      if (parameter->name != "bodySHA256" || !parameter->value) continue;
      if (SameBytes(ToLower(*parameter->value), Hex(Sha256Of(request.body)))) ends.emplace_back();
      break;
    }
    return ends;
  }

  const std::vector<Secret> secrets_;
};

}  // namespace

std::shared_ptr<const Verifier> MakeTwilioVerifier(const config::Verify& config) {
  return std::make_shared<TwilioVerifier>(config);
}

}  // namespace hookswitch::verify
