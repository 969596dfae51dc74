#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <forward_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/plugins/sink.h"
#include "hookswitch/sink.h"

namespace hookswitch::plugins {

inline hsw_str Str(std::string_view text) {
  return {text.data(), text.size()};
}

inline std::string_view View(hsw_str text) {
  return text.data ? std::string_view(text.data, text.size) : std::string_view();
}

/// A count from a plugin, at most a million.
inline int Bounded(std::uint32_t value) {
  return static_cast<int>(std::min<std::uint32_t>(value, 1'000'000));
}

/// A list as an array of hsw_pair; up to 16 without allocation. Borrows the texts.
class Pairs {
 public:
  template <class List, class Name, class Value>
  Pairs(const List& list, Name name, Value value) : count_(list.size()) {
    if (count_ > few_.size()) many_.resize(count_);
    hsw_pair* out = many_.empty() ? few_.data() : many_.data();
    for (const auto& item : list) *out++ = {Str(name(item)), Str(value(item))};
  }
  const hsw_pair* data() const { return many_.empty() ? few_.data() : many_.data(); }
  std::size_t size() const { return count_; }

 private:
  std::size_t count_;
  std::array<hsw_pair, 16> few_;
  std::vector<hsw_pair> many_;
};

/// Looks up values of a JSON text by RFC 6901 pointer, as ABI strings. Parses on the first call; results are valid as
/// long as this object.
class JsonLookup {
 public:
  /// `data` is nullptr if there is no value, it is null, or `text` is not JSON. `text` must be the same in every call.
  hsw_str Find(std::string_view text, std::string_view pointer);

 private:
  std::optional<json::value> root_;
  std::forward_list<std::string> made_;
};

/// A SinkDelivery as ABI structs. Borrows everything; builds the event's JSON on demand.
class AbiDelivery {
 public:
  /// `minor`: the ABI that the plugin names (hsw_sink::abi_minor).
  AbiDelivery(const SinkDelivery& delivery, std::uint32_t minor);
  AbiDelivery(const AbiDelivery&) = delete;
  AbiDelivery& operator=(const AbiDelivery&) = delete;
  const hsw_delivery* get() const { return &raw_; }

 private:
  static AbiDelivery& Of(const hsw_delivery* raw) { return *static_cast<AbiDelivery*>(const_cast<void*>(raw->host)); }
  std::string_view Json();
  hsw_str RawBody();

  hsw_str Expand(std::string_view text);

  const CallEvent& event_;
  const bool typed_data_;
  std::string_view status_, stage_;
  Pairs fields_, links_;
  hsw_event raw_event_{};
  hsw_message raw_message_{};
  hsw_delivery raw_{};
  std::optional<std::string> json_;
  const std::function<std::optional<std::string>()>& read_raw_body_;
  std::optional<std::string> raw_body_;
  std::optional<std::string> (*const expand_)(const CallEvent&, std::string_view);
  std::forward_list<std::string> expanded_;
  JsonLookup values_;
};

}  // namespace hookswitch::plugins
