#include "core/config/secrets.h"

#include <algorithm>
#include <utility>

namespace hookswitch::config {
namespace {

// Also finds white space beyond ASCII and invisible characters, which copied text brings along.
bool HasWhiteSpace(std::string_view text) {
  if (text.find_first_of(" \t\n\r\v\f") != std::string_view::npos) return true;
  for (const std::string_view space : {"\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005",
                                       "\u2006", "\u2007", "\u2008", "\u2009", "\u200A", "\u200B", "\u200C", "\u200D",
                                       "\u2028", "\u2029", "\u202F", "\u205F", "\u2060", "\u3000", "\uFEFF"}) {
    if (text.find(space) != std::string_view::npos) return true;
  }
  return false;
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

bool IsInQuotes(std::string_view text) {
  return text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
}

class SecretsResolver {
 public:
  SecretsResolver(std::string_view at, const Environment& environment, Problems& problems, bool form_is_known)
      : at_(at), environment_(environment), problems_(problems), form_is_known_(form_is_known) {}

  std::optional<Secret> FromVariable(const Node& name) const {
    if (problems_.HasErrorAt(name.where)) return {};  // not the name of a variable: perhaps the secret itself
    auto value = environment_.variable ? environment_.variable(name.scalar) : std::nullopt;
    const bool is_set = value.has_value();
    const std::string what = "environment variable " + name.scalar;
    std::string secret = WithoutLineBreaks(std::move(value).value_or(""));
    if (secret.empty()) return Missing(name, what + (is_set ? " is empty" : " is not set"));
    CheckForm(name, what, secret);
    return Secret(std::move(secret));
  }

  std::optional<Secret> FromFile(const Node& name) const {
    const std::string path = RelativeTo(name.where.file ? name.where.file->path : "", name.scalar);
    std::string error;
    auto text = environment_.read_file ? environment_.read_file(path, error) : std::nullopt;
    if (!text) return Missing(name, "cannot read " + path + ": " + error);
    std::string secret = WithoutLineBreaks(std::move(*text));
    if (secret.empty()) return Missing(name, path + " is empty");
    if (environment_.others_can_read && environment_.others_can_read(path)) {
      Warn(name, "everyone on this machine can read " + path, "chmod o-r " + path);
    }
    CheckForm(name, path, secret);
    return Secret(std::move(secret));
  }

 private:
  std::optional<Secret> Missing(const Node& name, const std::string& why) const {
    if (!environment_.secrets_optional) problems_.Error(name.where, Width(name), at_ + ": " + why);
    return {};
  }

  void CheckForm(const Node& name, const std::string& what, std::string_view secret) const {
    if (form_is_known_) return;
    if (IsInQuotes(secret)) {
      Warn(name, "the quotes around " + what + " are taken as part of the secret", "remove them there");
    } else if (HasControl(secret)) {
      Warn(name, what + " holds a control character or a line break, which is taken as part of the secret", "");
    } else if (HasWhiteSpace(secret)) {
      Warn(name, what + " holds white space, which is taken as part of the secret", "");
    }
  }

  void Warn(const Node& name, const std::string& message, std::string hint) const {
    problems_.Warning(name.where, Width(name), at_ + ": " + message, std::move(hint));
  }

  const std::string at_;
  const Environment& environment_;
  Problems& problems_;
  const bool form_is_known_;
};

}  // namespace

std::optional<Secret> ResolveSecret(const Node& value, std::string_view at, const Environment& environment,
                                    Problems& problems, bool form_is_known) {
  if (value.kind == Node::Kind::kScalar && !value.scalar.empty()) return Secret(value.scalar);
  const SecretsResolver resolver(at, environment, problems, form_is_known);
  if (const Node* name = value.Find("env"); name && name->kind == Node::Kind::kScalar) {
    return resolver.FromVariable(*name);
  }
  if (const Node* name = value.Find("file"); name && name->kind == Node::Kind::kScalar) {
    return resolver.FromFile(*name);
  }
  return {};
}

std::string WithoutLineBreaks(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

std::string RelativeTo(std::string_view from, std::string_view path) {
  const auto slash = from.rfind('/');
  if (path.starts_with('/') || slash == std::string_view::npos) return std::string(path);
  return std::string(from.substr(0, slash + 1)) + std::string(path);
}

}  // namespace hookswitch::config
