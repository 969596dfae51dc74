#include "core/sources/section.h"

namespace hookswitch::payload {

std::string Section::PathOf(std::string_view key) const {
  if (!paths_) return {};
  std::string path = path_;
  AppendToPath(path, key);
  return path;
}

const std::string* MapFiller::Add(std::string&& key, DataValue&& value) {
  const auto added = [](const auto& result) { return result.second ? &result.first->first : nullptr; };
  return data_ ? added(data_->try_emplace(std::move(key), std::move(value)))
               : added(texts_->try_emplace(std::move(key), std::move(value.text)));
}

void MapFiller::Put(std::string_view key, DataValue&& value, std::string_view path) {
  if (SaysNothing(value.text) || full()) return;
  std::string name = Clean(key, kMaxKeyBytes);
  if (name.empty()) return;
  const std::string* added = Add(std::move(name), std::move(value));
  if (added && paths_) paths_->Set(std::string(name_) + '.' + *added, path);
}

std::string MapFiller::Below(const std::string& path, std::string_view key) const {
  if (!paths_) return {};
  std::string below = path;
  AppendToPath(below, key);
  return below;
}

void MapFiller::PutFlat(std::string key, const json::value& value, const std::string& path) {
  PutMembers(key, value, path);
}

void MapFiller::PutMembers(std::string& key, const json::value& value, const std::string& path) {
  const auto* object = value.if_object();
  if (!object) return Put(key, AnyData(&value), path);
  const std::size_t length = key.size();
  for (const auto& member : *object) {
    if (full()) return;
    const std::string_view name(member.key().data(), member.key().size());
    key += '.';
    key += name;
    PutMembers(key, member.value(), Below(path, name));
    key.resize(length);
  }
}

}  // namespace hookswitch::payload
