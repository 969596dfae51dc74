#pragma once
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/json.h"

namespace hookswitch::payload {

/// Builds a json::value from the events of json::basic_parser, as json::parser does, with two differences: objects have
/// a limited number of members (the hash table is not seeded, so keys chosen to collide would make a large one
/// quadratic), and fractions are the double nearest to what is written (Boost's own may be one off).
///
/// basic_parser calls the members in snake case.
template <std::size_t max_members>
class JsonBuilder {
  using Error = json::error_code;
  using Stack = json::value_stack;
  using Text = json::string_view;

 public:
  static constexpr std::size_t max_object_size = max_members;
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  /// Unfinished values are kept in `stack`, and on the heap when it is full; finished ones in `values`.
  JsonBuilder(std::span<unsigned char> stack, json::memory_resource& values)
      : stack_(json::storage_ptr(), stack.data(), stack.size()) {
    stack_.reset(&values);
  }
  /// The whole value, once the parser is done.
  json::value Release() { return stack_.release(); }

  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_object_begin(Error&) { return true; }
  bool on_object_end(std::size_t size, Error&) { return Push(&Stack::push_object, size); }
  bool on_array_begin(Error&) { return true; }
  bool on_array_end(std::size_t size, Error&) { return Push(&Stack::push_array, size); }
  bool on_key_part(Text part, std::size_t, Error&) { return Push(&Stack::push_chars, part); }
  bool on_key(Text rest, std::size_t, Error&) { return Push(&Stack::push_key, rest); }
  bool on_string_part(Text part, std::size_t, Error&) { return Push(&Stack::push_chars, part); }
  bool on_string(Text rest, std::size_t, Error&) { return Push(&Stack::push_string, rest); }
  bool on_number_part(Text, Error&) { return true; }
  bool on_int64(std::int64_t number, Text, Error&) { return Push(&Stack::push_int64, number); }
  bool on_uint64(std::uint64_t number, Text, Error&) { return Push(&Stack::push_uint64, number); }
  bool on_double(double near, Text written, Error&) {
    double nearest = 0;
    const char* end = written.data() + written.size();
    const auto read = std::from_chars(written.data(), end, nearest);
    return Push(&Stack::push_double, read.ec == std::errc() && read.ptr == end ? nearest : near);
  }
  bool on_bool(bool flag, Error&) { return Push(&Stack::push_bool, flag); }
  bool on_null(Error&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(Text, Error&) { return true; }
  bool on_comment(Text, Error&) { return true; }

 private:
  template <class T>
  bool Push(void (Stack::*push)(T), T value) {
    (stack_.*push)(value);
    return true;
  }

  Stack stack_;
};

}  // namespace hookswitch::payload
