#pragma once
#include <map>
#include <string>
#include <string_view>

namespace hookswitch {

/// Which part of a payload each field of an event was read from: "duration" from "conversation_duration".
///
/// Fields are named as in the normalized event, with dots: "agent.id", "data.General.Outcome". Paths are those of
/// mappings: a.b[0], and "a.b" for a key with a dot.
class FieldPaths {
 public:
  void Set(std::string_view field, std::string_view path) { paths_.insert_or_assign(std::string(field), path); }
  /// "" for a field that is not from one part of the payload: it is from the config, or computed from several.
  std::string_view Of(std::string_view field) const {
    const auto found = paths_.find(field);
    return found == paths_.end() ? std::string_view() : found->second;
  }
  const std::map<std::string, std::string, std::less<>>& all() const { return paths_; }

 private:
  std::map<std::string, std::string, std::less<>> paths_;
};

/// Adds the member `key` to `path`.
void AppendToPath(std::string& path, std::string_view key);

}  // namespace hookswitch
