#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config/config.h"
#include "core/config/node.h"
#include "core/config/problem.h"

namespace hookswitch::config {

/// Reads the scalars of one map. Absent keys and wrong kinds leave the value as it was.
class MapReader {
 public:
  MapReader(const Node* map, std::string at, Problems& problems) : map_(map), at_(std::move(at)), problems_(problems) {}

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

/// True if a key of `map` has an error: it may be a missing one, misspelled.
bool HasFaultyKey(const Node& map, const Problems& problems);

/// A scalar, or the scalars of a list.
std::vector<const Node*> OneOrMany(const Node* node);

}  // namespace hookswitch::config
