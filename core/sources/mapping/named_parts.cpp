#include "core/sources/mapping/named_parts.h"

#include <algorithm>

#include "core/base/text.h"

namespace hookswitch::mapping {
namespace {

using config::ValuePath;

class Collector {
 public:
  NamedParts parts;

  void Add(const ValuePath& path) {
    switch (path.root) {
      case ValuePath::Root::kBody:
      case ValuePath::Root::kForm: return;
      case ValuePath::Root::kHeader: return AddName(parts.headers, ToLower(path.name));
      case ValuePath::Root::kQuery: return AddName(parts.parameters, path.name);
    }
  }
  void Add(const config::ValueMatch& match) { Add(match.path); }
  void Add(const config::EventRule& rule) { Add(rule.matches); }
  void Add(const config::ValueRule& rule) {
    Add(rule.paths);
    Add(rule.when);
    Add(rule.from);
    Add(rule.to);
    Add(rule.plus);
    Add(rule.currencies);
  }
  // Paths that start at an item lead to nothing else of the request.
  void Add(const config::TurnsRule& rule) {
    Add(rule.paths);
    Add(rule.when);
  }
  void Add(const config::EntriesRule& rule) {
    Add(rule.path);
    Add(rule.when);
  }
  template <class T>
  void Add(const std::vector<T>& all) {
    for (const T& one : all) Add(one);
  }

 private:
  static void AddName(std::vector<std::string>& names, std::string name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
};

}  // namespace

NamedParts PartsOf(const config::Mapping& mapping) {
  Collector all;
  for (const config::ValueRules* rules : config::AllRules(mapping)) all.Add(*rules);
  all.Add(mapping.events);
  all.Add(mapping.transcript);
  all.Add(mapping.data);
  all.Add(mapping.meta);
  all.Add(mapping.dedup);
  return std::move(all.parts);
}

}  // namespace hookswitch::mapping
