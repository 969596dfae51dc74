#include "core/config/secrets.h"

namespace hookswitch::config {
namespace {

std::optional<Secret> FromVariable(const Node& name, std::string_view at, const Environment& environment,
                                   Problems& problems) {
  if (problems.HasErrorAt(name.where)) return {};  // not a variable's name, and so perhaps the secret itself
  auto value = environment.variable ? environment.variable(name.scalar) : std::nullopt;
  if (value && !value->empty()) return Secret(std::move(*value));
  problems.Error(name.where, Width(name),
                 std::string(at) + ": environment variable " + name.scalar + (value ? " is empty" : " is not set"));
  return {};
}

std::optional<Secret> FromFile(const Node& name, std::string_view at, const Environment& environment,
                               Problems& problems) {
  const std::string path = RelativeTo(name.where.file ? name.where.file->path : "", name.scalar);
  std::string error;
  auto text = environment.read_file ? environment.read_file(path, error) : std::nullopt;
  if (!text) {
    problems.Error(name.where, Width(name), std::string(at) + ": cannot read " + path + ": " + error);
    return {};
  }
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  if (text->empty()) {
    problems.Error(name.where, Width(name), std::string(at) + ": " + path + " is empty");
    return {};
  }
  if (environment.others_can_read && environment.others_can_read(path)) {
    problems.Warning(name.where, Width(name), std::string(at) + ": everyone on this machine can read " + path,
                     "chmod o-r " + path);
  }
  return Secret(std::move(*text));
}

}  // namespace

std::optional<Secret> ResolveSecret(const Node& value, std::string_view at, const Environment& environment,
                                    Problems& problems) {
  if (value.kind == Node::Kind::kScalar && !value.scalar.empty()) return Secret(value.scalar);
  if (const Node* name = value.Find("env"); name && name->kind == Node::Kind::kScalar) {
    return FromVariable(*name, at, environment, problems);
  }
  if (const Node* name = value.Find("file"); name && name->kind == Node::Kind::kScalar) {
    return FromFile(*name, at, environment, problems);
  }
  return {};
}

std::string RelativeTo(std::string_view from, std::string_view path) {
  const auto slash = from.rfind('/');
  if (path.starts_with('/') || slash == std::string_view::npos) return std::string(path);
  return std::string(from.substr(0, slash + 1)) + std::string(path);
}

}  // namespace hookswitch::config
