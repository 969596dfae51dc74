#pragma once
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config/config.h"
#include "core/config/loader.h"
#include "core/config/node.h"

namespace hookswitch::config {

/// The top-level values of the main file and what it includes, merged. Borrows from the parsed trees.
struct Sections {
  const Node* server = nullptr;
  const Node* admin = nullptr;
  const Node* journal = nullptr;
  const Node* log = nullptr;
  const Node* plugins = nullptr;
  const Node* defaults = nullptr;
  const Node* unmatched = nullptr;
  std::vector<const Node::Entry*> sources, agents, sinks, schedules, templates;
  std::vector<const Node*> rules;
};

/// Converts `sections` to typed values. Ignores what the schema has rejected already; what a schema cannot express (a
/// duration out of range, an invalid address) goes to `problems`.
Config Assemble(const Sections& sections, const Environment& environment, Problems& problems);

/// Checks references: names that must exist or be unique, cycles, unused definitions. `in_doubt`: sections ("sinks")
/// that may be incomplete because of an error; a name missing from them is not reported.
void CheckReferences(const Config& config, const std::set<std::string, std::less<>>& in_doubt, Problems& problems);

/// Reads the scalars of one map. Absent keys and wrong kinds leave the value as it was.
class Reader {
 public:
  Reader(const Node* map, std::string at, Problems& problems) : map_(map), at_(std::move(at)), problems_(problems) {}

  const Node* Get(std::string_view key) const { return map_ ? map_->Find(key) : nullptr; }
  const Node* Scalar(std::string_view key) const;
  void Text(std::string_view key, std::string& value) const;
  void Flag(std::string_view key, bool& value) const;
  template <class T>
  void Integer(std::string_view key, T& value) const;
  enum class Zero { kAllowed, kRefused };
  void Duration(std::string_view key, milliseconds& value, Zero zero) const;
  void Size(std::string_view key, std::uint64_t& value, Zero zero = Zero::kRefused) const;
  void Texts(std::string_view key, std::vector<std::string>& values) const;
  void Networks(std::string_view key, std::vector<Network>& values) const;
  void Address(std::string_view key, Listen& value) const;
  /// One or several addresses, unix sockets too, each with its node. Invalid ones are reported and left out.
  std::vector<std::pair<const Node*, Listen>> Addresses(std::string_view key) const;

  std::string Name(std::string_view key) const { return at_ + '.' + std::string(key); }
  /// Reports an error at `node`, unless there is one at that place already.
  void Error(const Node& node, std::string message, std::string hint = {}) const;
  std::optional<Listen> AddressOf(const Node& node, std::string_view name) const;
  std::optional<milliseconds> DurationOf(const Node& node, std::string_view name, Zero zero) const;

 private:
  const Node* map_;
  std::string at_;
  Problems& problems_;
};

/// A scalar, or the scalars of a list.
std::vector<const Node*> OneOrMany(const Node* node);

Condition MakeCondition(const Node* when, const Mark& where, Problems& problems);
/// True if there is a `status` condition anywhere in the tree.
bool AsksStatus(const Condition& condition);
StatusSet MakeStatuses(const Node* node);

}  // namespace hookswitch::config
