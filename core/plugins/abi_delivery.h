#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/plugins/sink.h"
#include "hookswitch/sink.h"

namespace hookswitch::plugins {

inline hsw_str Str(std::string_view text) {
  return {text.data(), text.size()};
}

/// `count` pairs, on the stack where they are few.
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

/// A SinkDelivery in the ABI's words. Borrows everything; makes the event's JSON when asked.
class AbiDelivery {
 public:
  explicit AbiDelivery(const SinkDelivery& delivery);
  AbiDelivery(const AbiDelivery&) = delete;
  AbiDelivery& operator=(const AbiDelivery&) = delete;
  const hsw_delivery* get() const { return &raw_; }

 private:
  const CallEvent& event_;
  std::string_view status_;
  Pairs fields_, links_;
  hsw_event raw_event_{};
  hsw_message raw_message_{};
  hsw_delivery raw_{};
  std::optional<std::string> json_;
};

}  // namespace hookswitch::plugins
