// JSON writer for request bodies: header-only, C++20. The output is valid JSON for any values.
//
//   hsw::JsonWriter json;
//   json.BeginObject();
//   json.Key("text").String(message.Title());
//   json.Key("fields").BeginArray();
//   for (const hsw_pair& field : message.Fields()) json.String(hsw::View(field.value));
//   json.EndArray();
//   json.EndObject();
//   request.Body(json.Text());
#pragma once
#include <concepts>
#include <string>
#include <string_view>

#include "hookswitch/sink.hpp"

namespace hsw {

/// Inserts commas and quotes. The caller must match every Begin with an End and give every Key a value.
class JsonWriter {
 public:
  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  JsonWriter& Key(std::string_view key) {
    Separate();
    AppendJsonString(text_, key);
    text_ += ':';
    first_ = true;
    return *this;
  }
  JsonWriter& String(std::string_view value) {
    Separate();
    AppendJsonString(text_, value);
    return *this;
  }
  template <std::integral T>
  requires(!std::same_as<T, bool>) JsonWriter& Number(T value) { return Raw(std::to_string(value)); }
  JsonWriter& Bool(bool value) { return Raw(value ? "true" : "false"); }
  JsonWriter& Null() { return Raw("null"); }
  /// `value` must be valid JSON.
  JsonWriter& Raw(std::string_view value) {
    Separate();
    text_ += value;
    return *this;
  }

  std::string_view Text() const& { return text_; }
  std::string Text() && { return std::move(text_); }
  std::size_t Size() const { return text_.size(); }

 private:
  JsonWriter& Open(char bracket) {
    Separate();
    text_ += bracket;
    first_ = true;
    return *this;
  }
  JsonWriter& Close(char bracket) {
    text_ += bracket;
    first_ = false;
    return *this;
  }
  void Separate() {
    if (!first_) text_ += ',';
    first_ = false;
  }

  std::string text_;
  bool first_ = true;
};

}  // namespace hsw
