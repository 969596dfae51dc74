#include "core/config/sink_config.h"

#include <algorithm>

#include "core/base/json.h"
#include "core/config/scalars.h"
#include "core/config/schema_check.h"
#include "core/config/schema_lookup.h"
#include "core/config/secrets.h"

namespace hookswitch::config {
namespace {

class ConfigResolver {
 public:
  ConfigResolver(const json::object& root, const Environment& environment, Problems& problems,
                 std::vector<std::string>& secrets)
      : root_(root), environment_(environment), problems_(problems), secrets_(secrets) {}

  bool lacks_secrets() const { return lacks_secrets_; }

  json::value Make(const Node& value, const json::object& outer, const std::string& at) {
    const json::object& schema = BranchOf(value, root_, outer);
    if (Flag(schema, "x-secret")) return MakeSecret(value, schema, at);
    switch (value.kind) {
      case Node::Kind::kNull: return nullptr;
      case Node::Kind::kScalar: return ScalarValue(value, schema);
      case Node::Kind::kList: {
        json::array list;
        const auto* items = schema.if_contains("items");
        for (const Node& item : value.list)
          list.push_back(Make(item, items ? Resolve(root_, *items) : json::object(), at + "[]"));
        return list;
      }
      case Node::Kind::kMap: return MakeMap(value, schema, at);
    }
    return nullptr;
  }

 private:
  json::value MakeSecret(const Node& value, const json::object& schema, const std::string& at) {
    const bool form_is_known = TextAt(schema, "pattern").starts_with('^') && TextAt(schema, "pattern").ends_with('$');
    const auto secret = ResolveSecret(value, at, environment_, problems_, form_is_known);
    if (!secret) return StandIn(schema);
    if (!TextFault(secret->Reveal(), schema).empty()) {
      const std::string words = FormOf(schema);
      problems_.Error(value.where, Width(value),
                      at + ": the secret there is not " + (words.empty() ? "of the expected form" : words));
    }
    secrets_.push_back(secret->Reveal());
    return json::value(secret->Reveal());
  }

  // Replaces a missing secret.
  json::value StandIn(const json::object& schema) {
    const auto* examples = schema.if_contains("examples");
    const bool has_one =
        examples && examples->is_array() && !examples->get_array().empty() && examples->get_array().front().is_string();
    if (!environment_.secrets_optional || !has_one) {
      lacks_secrets_ = true;
      return nullptr;
    }
    secrets_.emplace_back(examples->get_array().front().get_string());
    return json::value(secrets_.back());
  }

  json::value MakeMap(const Node& value, const json::object& schema, const std::string& at) {
    json::object map;
    for (const Node::Entry& entry : value.map) {
      const json::value* property = PropertySchema(schema, entry.key);
      map[entry.key] = Make(entry.value, property ? Resolve(root_, *property) : json::object(), at + '.' + entry.key);
    }
    if (const auto* properties = ObjectAt(schema, "properties")) {
      for (const auto& property : *properties) {
        if (map.contains(property.key())) continue;
        const auto* preset = DefaultOf(root_, property.value());
        if (preset) map[property.key()] = *preset;
      }
    }
    return map;
  }

  const json::object& root_;
  const Environment& environment_;
  Problems& problems_;
  std::vector<std::string>& secrets_;
  bool lacks_secrets_ = false;
};

std::vector<std::string> MembersOf(const std::string& name) {
  const auto group = ParseStatus(name) ? std::nullopt : ParseStatusGroup(name);
  if (!group) return {name};
  std::vector<std::string> members;
  for (std::size_t i = 0; i < kCallStatusCount; ++i) {
    const auto status = static_cast<CallStatus>(i);
    if ((*group & Bit(status)) != 0) members.emplace_back(ToString(status));
  }
  return members;
}

class Statuses {
 public:
  explicit Statuses(const json::object& root) : root_(root) {}

  Node Expand(const Node& value, const json::object& outer) const {
    const json::object& schema = BranchOf(value, root_, outer);
    switch (value.kind) {
      case Node::Kind::kNull: return value;
      case Node::Kind::kScalar: return ExpandScalar(value, schema, outer);
      case Node::Kind::kList: return ExpandList(value, schema);
      case Node::Kind::kMap: return ExpandMap(value, schema);
    }
    return value;
  }

 private:
  Node ExpandScalar(const Node& value, const json::object& schema, const json::object& outer) const {
    if (RefOf(schema) != "status" || !MayBeList(root_, outer)) return value;
    const auto members = MembersOf(value.scalar);
    if (members.size() == 1) return value;
    Node list;
    list.kind = Node::Kind::kList;
    list.where = value.where;
    for (const std::string& member : members) list.list.push_back(Named(value, member));
    return list;
  }

  Node ExpandList(const Node& value, const json::object& schema) const {
    const auto* items = schema.if_contains("items");
    if (!items) return value;
    const json::object& item_schema = Resolve(root_, *items);
    Node list = value;
    list.list.clear();
    for (const Node& item : value.list) {
      if (item.kind != Node::Kind::kScalar || RefOf(BranchOf(item, root_, item_schema)) != "status") {
        list.list.push_back(Expand(item, item_schema));
        continue;
      }
      for (const std::string& member : MembersOf(item.scalar)) {
        const bool is_there =
            std::any_of(list.list.begin(), list.list.end(), [&](const Node& other) { return other.scalar == member; });
        if (!is_there) list.list.push_back(Named(item, member));
      }
    }
    return list;
  }

  Node ExpandMap(const Node& value, const json::object& schema) const {
    const auto* names = schema.if_contains("propertyNames");
    const bool by_status = names && RefOf(Resolve(root_, *names)) == "status";
    Node map = value;
    for (Node::Entry& entry : map.map) {
      if (const json::value* property = PropertySchema(schema, entry.key)) {
        entry.value = Expand(entry.value, Resolve(root_, *property));
      }
    }
    if (!by_status) return map;
    const auto groups = std::stable_partition(
        map.map.begin(), map.map.end(), [](const Node::Entry& entry) { return MembersOf(entry.key).size() == 1; });
    const std::vector<Node::Entry> to_expand(groups, map.map.end());
    map.map.erase(groups, map.map.end());
    for (const Node::Entry& group : to_expand) {
      for (const std::string& member : MembersOf(group.key)) {
        if (!map.FindEntry(member)) map.map.push_back({member, group.key_where, group.value});
      }
    }
    return map;
  }

  static Node Named(const Node& group, const std::string& member) {
    Node node = group;
    node.scalar = member;
    return node;
  }

  const json::object& root_;
};

json::object Parsed(std::string_view schema) {
  json::error_code error;
  json::value parsed = json::parse(json::string_view(schema.data(), schema.size()), error);
  return !error && parsed.is_object() ? std::move(parsed.get_object()) : json::object();
}

}  // namespace

std::string ResolvePluginConfig(const Node& value, std::string_view schema, const Environment& environment,
                                Problems& problems, std::vector<std::string>& secrets, bool* lacks_secrets) {
  const json::object root = Parsed(schema);
  Node map = Statuses(root).Expand(value, root);
  if (map.kind == Node::Kind::kNull) map.kind = Node::Kind::kMap;
  ConfigResolver resolver(root, environment, problems, secrets);
  std::string text = hookswitch::ToText(resolver.Make(map, root, "config"));
  if (lacks_secrets) *lacks_secrets = resolver.lacks_secrets();
  return text;
}

Node WithStatuses(const Node& value, std::string_view schema) {
  const json::object root = Parsed(schema);
  return Statuses(root).Expand(value, root);
}

}  // namespace hookswitch::config
