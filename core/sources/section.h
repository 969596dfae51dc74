#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/event/call_event.h"
#include "core/sources/field_paths.h"
#include "core/sources/payload.h"

namespace hookswitch::payload {

/// An object of a payload that notes which of its members gave which field of the event, if that is wanted. Borrowed.
class Section {
 public:
  /// `object` nullptr: absent. `paths`: takes the notes; nullptr: none are wanted.
  Section(const json::object* object, FieldPaths* paths, std::string path = {})
      : object_(object), paths_(paths), path_(std::move(path)) {}

  const json::object* object() const { return object_; }
  FieldPaths* paths() const { return paths_; }
  /// As payload::Find.
  const json::value* Find(std::string_view key) const { return payload::Find(object_, key); }
  /// The member `key`; absent if it is not an object.
  Section Sub(std::string_view key) const { return {FindObject(object_, key), paths_, PathOf(key)}; }
  /// The path of the member `key`; "" if no notes are wanted.
  std::string PathOf(std::string_view key) const;

  /// Notes that the member `key` gave `field`.
  void Gave(std::string_view field, std::string_view key) const {
    if (paths_) paths_->Set(field, PathOf(key));
  }
  /// What `read` makes of the member `key`; noted if that is something.
  template <class Read>
  auto Take(std::string_view field, std::string_view key, Read read) const {
    auto value = read(Find(key));
    if (IsSomething(value)) Gave(field, key);
    return value;
  }

 private:
  static bool IsSomething(const std::string& text) { return !text.empty(); }
  static bool IsSomething(const std::vector<Turn>& turns) { return !turns.empty(); }
  template <class T>
  static bool IsSomething(const std::optional<T>& value) {
    return value.has_value();
  }

  const json::object* object_;
  FieldPaths* paths_;
  std::string path_;
};

/// Fills `data` or `meta` of an event, and notes where the values are from, if that is wanted.
class MapFiller {
 public:
  /// `name`: "data" or "meta". A TextMap takes the values' texts.
  MapFiller(TextMap& map, std::string_view name, FieldPaths* paths) : texts_(&map), name_(name), paths_(paths) {}
  MapFiller(DataMap& map, std::string_view name, FieldPaths* paths) : data_(&map), name_(name), paths_(paths) {}

  bool full() const { return (data_ ? data_->size() : texts_->size()) >= kMaxEntries; }
  /// The path of the member `key` of what is at `path`; "" if no notes are wanted.
  std::string Below(const std::string& path, std::string_view key) const;
  /// Adds key and value (cut to the limits) unless SaysNothing is true of the value, the key exists, or the map is
  /// full.
  void Put(std::string_view key, DataValue&& value, std::string_view path);
  /// Puts `value` under `key`: objects member by member with dotted keys, arrays as JSON text.
  void PutFlat(std::string key, const json::value& value, const std::string& path);

 private:
  void PutMembers(std::string& key, const json::value& value, const std::string& path);

  /// Where `key` now is; nullptr if it was there before.
  const std::string* Add(std::string&& key, DataValue&& value);

  TextMap* texts_ = nullptr;  ///< one of the two
  DataMap* data_ = nullptr;
  const std::string_view name_;
  FieldPaths* const paths_;
};

}  // namespace hookswitch::payload
