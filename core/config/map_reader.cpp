#include "core/config/map_reader.h"

#include <algorithm>

#include "core/base/time_text.h"
#include "core/config/privacy.h"
#include "core/config/scalars.h"

namespace hookswitch::config {

const Node* MapReader::Scalar(std::string_view key) const {
  const Node* node = Get(key);
  return node && node->kind == Node::Kind::kScalar ? node : nullptr;
}

void MapReader::Text(std::string_view key, std::string& value) const {
  if (const Node* node = Scalar(key)) value = node->scalar;
}

void MapReader::Flag(std::string_view key, bool& value) const {
  if (const Node* node = Scalar(key)) value = node->scalar == "true";
}

template <class T>
void MapReader::Integer(std::string_view key, T& value) const {
  const Node* node = Scalar(key);
  if (!node) return;
  if (const auto number = ParseInteger(node->scalar); number && std::in_range<T>(*number))
    value = static_cast<T>(*number);
}
template void MapReader::Integer(std::string_view, int&) const;
template void MapReader::Integer(std::string_view, std::uint64_t&) const;

std::optional<milliseconds> MapReader::DurationOf(const Node& node, std::string_view name, Zero zero) const {
  const auto duration = ParseDuration(node.scalar);
  if (!duration) {
    Error(node, std::string(name) + ": expected a duration such as 90s or 1m30s, at most ten years");
  } else if (zero == Zero::kRefused && duration->count() == 0) {
    Error(node, std::string(name) + ": must be longer than 0s");
  }
  return duration;
}

void MapReader::Duration(std::string_view key, milliseconds& value, Zero zero) const {
  const Node* node = Scalar(key);
  if (!node) return;
  if (const auto duration = DurationOf(*node, Name(key), zero)) value = *duration;
}

void MapReader::Size(std::string_view key, std::uint64_t& value, Zero zero) const {
  const Node* node = Scalar(key);
  if (!node) return;
  if (const auto size = ParseSize(node->scalar); size && (*size > 0 || zero == Zero::kAllowed)) {
    value = *size;
  } else {
    Error(*node, Name(key) + ": expected a size such as 64KiB or 1MiB, " +
                     (zero == Zero::kRefused ? "more than 0B and " : "") + "at most 1024GiB");
  }
}

void MapReader::Texts(std::string_view key, std::vector<std::string>& values) const {
  const Node* node = Get(key);
  if (!node) return;
  values.clear();
  for (const Node& item : node->list) {
    if (item.kind == Node::Kind::kScalar) values.push_back(item.scalar);
  }
}

void MapReader::Networks(std::string_view key, std::vector<Network>& values) const {
  const Node* node = Get(key);
  if (!node) return;
  values.clear();
  for (const Node& item : node->list) {
    if (item.kind != Node::Kind::kScalar) continue;
    if (auto network = ParseNetwork(item.scalar)) {
      values.push_back(std::move(*network));
    } else {
      const auto slash = item.scalar.find('/');
      const bool host_bits = slash != std::string::npos && ParseNetwork(item.scalar.substr(0, slash)).has_value();
      Error(item,
            Name(key) + "[]: \"" + item.scalar + "\" is not an address or network such as 192.0.2.7 or 10.0.0.0/8",
            host_bits ? "bits behind the prefix must be zero" : "");
    }
  }
}

std::optional<Listen> MapReader::AddressOf(const Node& node, std::string_view name) const {
  auto listen = ParseListen(node.scalar);
  if (listen) return listen;
  const auto port = ParseInteger(node.scalar);
  if (LooksLikeSecret(node.scalar)) Hide(node);
  Error(node,
        std::string(name) + ": expected an address such as 127.0.0.1:8001 or [::1]:8001, found " +
            (IsHidden(node) ? "something else" : '"' + node.scalar + '"'),
        port ? "did you mean 0.0.0.0:" + node.scalar + "?" : "");
  return {};
}

void MapReader::Address(std::string_view key, Listen& value) const {
  const Node* node = Scalar(key);
  if (!node) return;
  if (auto listen = AddressOf(*node, Name(key))) value = std::move(*listen);
}

std::vector<std::pair<const Node*, Listen>> MapReader::Addresses(std::string_view key) const {
  std::vector<std::pair<const Node*, Listen>> addresses;
  for (const Node* node : OneOrMany(Get(key))) {
    const bool is_unix = node->scalar.starts_with("unix:");
    auto listen = is_unix ? ParseUnixSocket(node->scalar) : AddressOf(*node, Name(key));
    if (listen) {
      addresses.emplace_back(node, std::move(*listen));
    } else if (is_unix) {
      Error(*node,
            Name(key) + ": expected a socket such as unix:/run/hookswitch/admin.sock, found \"" + node->scalar + '"',
            "its path is absolute and has at most 107 bytes");
    }
  }
  return addresses;
}

void MapReader::Error(const Node& node, std::string message, std::string hint) const {
  if (!problems_.HasErrorAt(node.where)) problems_.Error(node.where, Width(node), std::move(message), std::move(hint));
}

bool HasFaultyKey(const Node& map, const Problems& problems) {
  return std::any_of(map.map.begin(), map.map.end(),
                     [&](const Node::Entry& entry) { return problems.HasErrorAt(entry.key_where); });
}

std::vector<const Node*> OneOrMany(const Node* node) {
  std::vector<const Node*> scalars;
  if (!node) return scalars;
  if (node->kind == Node::Kind::kScalar) scalars.push_back(node);
  for (const Node& item : node->list) {
    if (item.kind == Node::Kind::kScalar) scalars.push_back(&item);
  }
  return scalars;
}

}  // namespace hookswitch::config
