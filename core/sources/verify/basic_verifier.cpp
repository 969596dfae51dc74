#include "core/base/encoding.h"
#include "core/base/text.h"
#include "core/sources/verify/request_parts.h"
#include "core/sources/verify/verifiers.h"

namespace hookswitch::verify {
namespace {

class BasicVerifier final : public Verifier {
 public:
  explicit BasicVerifier(const config::Verify& config) : user_(config.user), passwords_(config.secrets) {}

  std::optional<Fault> CheckHead(const SignedRequest& head, WallTime) const override {
    const auto header = OnlyHeader(head, "Authorization");
    if (const auto* fault = std::get_if<Fault>(&header)) return *fault;
    const std::string_view value = std::get<std::string_view>(header);
    constexpr std::string_view kScheme = "Basic ";
    if (!EqualsIgnoreCase(value.substr(0, kScheme.size()), kScheme)) {
      return Fault{Fault::Kind::kMissing, "Authorization is not of the kind Basic"};
    }
    const std::string pair = FromBase64(Trim(value.substr(kScheme.size()))).value_or("");
    const auto colon = std::min(pair.find(':'), pair.size());
    const bool is_user = user_.Equals(std::string_view(pair).substr(0, colon));
    bool is_password = false;
    for (const Secret& password : passwords_) {
      is_password |= colon < pair.size() && password.Equals(std::string_view(pair).substr(colon + 1));
    }
    if (is_user && is_password) return {};
    return Fault{Fault::Kind::kWrong, "the user or the password is wrong"};
  }

  std::optional<Fault> Check(const SignedRequest& request, WallTime now) const override {
    return CheckHead(request, now);
  }

 private:
  const Secret user_;
  const std::vector<Secret> passwords_;
};

}  // namespace

std::shared_ptr<const Verifier> MakeBasicVerifier(const config::Verify& config) {
  return std::make_shared<BasicVerifier>(config);
}

}  // namespace hookswitch::verify
