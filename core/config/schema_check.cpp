#include "core/config/schema_check.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/base/text.h"
#include "core/config/privacy.h"
#include "core/config/scalars.h"
#include "core/config/schema_lookup.h"

namespace hookswitch::config {
namespace {

constexpr std::array<std::string_view, 5> kRefs = {"rule", "agent", "tag", "status", "schedule"};

// Keys of other routers, and their names here.
constexpr std::array<std::pair<std::string_view, std::string_view>, 30> kAliases = {{
    {"receiver", "send"},
    {"receivers", "sinks"},
    {"to", "send"},
    {"sinks", "send"},
    {"targets", "send"},
    {"route", "rules"},
    {"routes", "rules"},
    {"matchers", "when"},
    {"match", "when"},
    {"match_re", "when"},
    {"if", "when"},
    {"where", "when"},
    {"continue", "stop"},
    {"time_intervals", "schedules"},
    {"mute_time_intervals", "schedules"},
    {"active_time_intervals", "during"},
    {"schedule", "during"},
    {"module", "plugin"},
    {"type", "plugin"},
    {"url", "webhook_url"},
    {"api_url", "webhook_url"},
    {"and", "all"},
    {"or", "any"},
    {"none", "not"},
    {"inputs", "sources"},
    {"outputs", "sinks"},
    {"times", "hours"},
    {"weekdays", "days"},
    {"global", "defaults"},
    {"tz", "timezone"},
}};

std::string InQuotes(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  std::string shown(CutCodePoints(text, kLongest));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return '"' + shown + (shown.size() < text.size() ? "…\"" : "\"");
}

std::string Found(const Node& value) {
  switch (value.kind) {
    case Node::Kind::kNull: return "nothing";
    case Node::Kind::kScalar: return IsHidden(value) ? "something else" : InQuotes(value.scalar);
    case Node::Kind::kList: return value.list.empty() ? "an empty list" : "a list";
    case Node::Kind::kMap: return value.map.empty() ? "an empty map" : "a map";
  }
  return {};
}

std::string Join(const json::array& values, std::string_view last) {
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) text += i + 1 == values.size() ? std::string(last) : std::string(", ");
    text += values[i].is_string() ? std::string(values[i].get_string()) : hookswitch::ToText(values[i]);
  }
  return text;
}

std::string Expected(const json::object& schema) {
  if (Flag(schema, "x-secret")) return "{env: NAME} or {file: PATH}";
  if (const auto words = TextAt(schema, "x-expected"); !words.empty()) return std::string(words);
  if (const auto* values = schema.if_contains("enum"); values && values->is_array()) {
    return (values->get_array().size() > 1 ? "one of " : "") + Join(values->get_array(), " or ");
  }
  if (const auto* value = schema.if_contains("const")) {
    return value->is_string() ? std::string(value->get_string()) : hookswitch::ToText(*value);
  }
  const auto* type = schema.if_contains("type");
  if (type && type->is_string()) {
    std::string words(PlainWords(type->get_string()));
    const auto* least = schema.if_contains("minimum");
    const auto* most = schema.if_contains("maximum");
    if (least && most) return words + " from " + hookswitch::ToText(*least) + " to " + hookswitch::ToText(*most);
    if (least) return words + " of at least " + hookswitch::ToText(*least);
    if (most) return words + " of at most " + hookswitch::ToText(*most);
    if (const auto pattern = TextAt(schema, "pattern"); !pattern.empty())
      return words + " like " + std::string(pattern);
    return words;
  }
  if (type && type->is_array()) {
    json::array words;
    for (const auto& one : type->get_array()) {
      if (one.is_string()) words.emplace_back(PlainWords(one.get_string()));
    }
    return Join(words, " or ");
  }
  return "something else";
}

std::optional<double> NumberAt(const json::object& schema, std::string_view key) {
  const auto* value = schema.if_contains(key);
  if (value && value->is_int64()) return static_cast<double>(value->get_int64());
  if (value && value->is_double()) return value->get_double();
  return {};
}

std::string_view TypeOf(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::kNull: return "null";
    case Node::Kind::kScalar: return "string";
    case Node::Kind::kList: return "array";
    case Node::Kind::kMap: return "object";
  }
  return {};
}

// Nested anyOfs walk the schema without descending in the value, so a foreign schema could make the walk endless.
constexpr int kMaxAnyOf = 8;

bool KindFits(const Node& value, const json::object& root, const json::object& schema, int depth) {
  if (const auto* branches = schema.if_contains("anyOf"); branches && branches->is_array() && depth < kMaxAnyOf) {
    return std::any_of(branches->get_array().begin(), branches->get_array().end(), [&](const json::value& branch) {
      return KindFits(value, root, Resolve(root, branch), depth + 1);
    });
  }
  if (!schema.contains("type")) return true;
  if (Flag(schema, "x-secret") && value.kind == Node::Kind::kMap) return true;
  if (value.kind != Node::Kind::kScalar) return AllowsType(schema, TypeOf(value.kind));
  return std::any_of(kScalarTypes.begin(), kScalarTypes.end(),
                     [&](std::string_view type) { return AllowsType(schema, type); });
}

class Checker {
 public:
  /// How to change what HidePrivate hid: secrets are sealed; with kPlugin the harmless parts of the plugin's config,
  /// unknown before, are shown; a trial changes nothing.
  enum class Mode { kOwn, kPlugin, kTrial };
  Checker(const json::object& root, Problems& problems, Mode mode) : root_(root), problems_(problems), mode_(mode) {}

  struct Spot {
    std::string name;  ///< "rules[].when"
    Mark key_where;    ///< of the key that holds the value, where missing keys are reported
    const Node::Entry* key = nullptr;
    bool takes_groups = false;  ///< the value is one of several: a status group may stand for its members

    int KeyWidthOr1() const { return key ? KeyWidth(*key) : 1; }
  };

  void Check(const Node& value, const json::object& schema, const Spot& spot, int anyof_depth = 0) {
    if (const auto* branches = schema.if_contains("anyOf");
        branches && branches->is_array() && anyof_depth < kMaxAnyOf) {
      const json::object* branch = ChooseBranch(value, root_, branches->get_array(), anyof_depth);
      if (!branch) return WrongKind(value, schema, spot);
      Spot inside = spot;
      inside.takes_groups = spot.takes_groups || MayBeList(root_, schema);
      return Check(value, *branch, inside, anyof_depth + 1);
    }
    if (Flag(schema, "x-secret")) return CheckSecret(value, schema, spot);
    switch (value.kind) {
      case Node::Kind::kNull:
        if (schema.contains("type") && !AllowsType(schema, "null")) WrongKind(value, schema, spot);
        return;
      case Node::Kind::kScalar: return CheckScalar(value, schema, spot);
      case Node::Kind::kList: return CheckList(value, schema, spot);
      case Node::Kind::kMap: return CheckMap(value, schema, spot);
    }
  }

 private:
  void Report(const Node& value, const Spot& spot, std::string message, std::string hint = {}) {
    // A block map or list has the place of its first item; its key is a better place.
    const bool whole = value.kind != Node::Kind::kScalar && spot.key_where.line > 0;
    problems_.Error(whole ? spot.key_where : value.where, whole ? spot.KeyWidthOr1() : Width(value), std::move(message),
                    std::move(hint));
  }

  static std::string Prefix(const Spot& spot) { return spot.name.empty() ? std::string() : spot.name + ": "; }

  void WrongKind(const Node& value, const json::object& schema, const Spot& spot, std::string hint = {}) {
    if (hint.empty() && value.kind == Node::Kind::kNull && CommentFollows(value.where)) {
      hint = "an unquoted # starts a comment";
    }
    if (hint.empty() && value.kind == Node::Kind::kScalar && schema.contains("type") && AllowsType(schema, "array"))
      hint = "write it as a list: [...]";
    Report(value, spot, Prefix(spot) + "expected " + Expected(schema) + ", found " + Found(value), std::move(hint));
  }

  static bool CommentFollows(const Mark& where) {
    return where.file && where.file->Line(where.line).find(" #") != std::string_view::npos;
  }

  void Keep(const Node& secret) const {
    if (mode_ != Mode::kTrial) Seal(secret);
  }

  void CheckSecret(const Node& value, const json::object& schema, const Spot& spot) {
    if (value.kind == Node::Kind::kMap) {
      const bool one = value.map.size() == 1 && (value.map[0].key == "env" || value.map[0].key == "file") &&
                       value.map[0].value.kind == Node::Kind::kScalar && !value.map[0].value.scalar.empty();
      if (!one) {
        Keep(value);
        return Report(value, spot, Prefix(spot) + "expected {env: NAME} or {file: PATH}");
      }
      if (value.map[0].key == "env" && !Matches(value.map[0].value.scalar, "^[A-Za-z_][A-Za-z0-9_]*$")) {
        Keep(value);
        problems_.Error(value.map[0].value.where, 1, Prefix(spot) + "not the name of an environment variable",
                        "the secret itself is not written here");
        return;
      }
      if (mode_ != Mode::kPlugin) return;
      Show(value.map[0]);
      Show(value.map[0].value);
      return;
    }
    Keep(value);
    if (value.kind != Node::Kind::kScalar) return WrongKind(value, schema, spot);
    if (!TextFault(value.scalar, schema).empty()) {
      const std::string words = FormOf(schema);
      problems_.Error(value.where, 1, Prefix(spot) + (words.empty() ? "not a valid value" : "expected " + words));
      return;
    }
    problems_.Warning(value.where, 1, spot.name + " is a secret in plain sight", "write {env: NAME} or {file: PATH}");
  }

  void ShowIfHarmless(const Node& scalar, const json::object& schema) const {
    if (mode_ != Mode::kPlugin || !IsHidden(scalar) || MayHoldSecrets(root_, schema)) return;
    if (!LooksLikeSecret(scalar.scalar) || Fits(scalar, root_, schema)) Show(scalar);
  }

  void CheckScalar(const Node& value, const json::object& schema, const Spot& spot) {
    ShowIfHarmless(value, schema);
    if (schema.contains("type")) {
      const bool fits = std::any_of(kScalarTypes.begin(), kScalarTypes.end(), [&](std::string_view type) {
        return AllowsType(schema, type) && ScalarIs(value, type);
      });
      if (!fits) {
        return WrongKind(value, schema, spot, IsHidden(value) ? std::string() : ScalarHint(value, schema));
      }
    }
    if (const auto* values = schema.if_contains("enum"); values && values->is_array()) {
      if (!CheckEnum(value, values->get_array(), schema, spot)) return;
    }
    if (const auto* wanted = schema.if_contains("const")) {
      const std::string text = wanted->is_string() ? std::string(wanted->get_string()) : hookswitch::ToText(*wanted);
      if (value.scalar != text) return WrongKind(value, schema, spot);
    }
    if (AllowsType(schema, "string")) {
      if (RefOf(schema) == "status") return CheckStatus(value, spot);
      if (!TextFault(value.scalar, schema).empty()) WrongKind(value, schema, spot, UnitHint(value, schema));
      return;
    }
    if (const auto number = ParseNumber(value.scalar)) {
      const auto least = NumberAt(schema, "minimum");
      const auto most = NumberAt(schema, "maximum");
      if ((least && *number < *least) || (most && *number > *most)) WrongKind(value, schema, spot);
    }
  }

  // Statuses have the same names everywhere as in rules.
  void CheckStatus(const Node& value, const Spot& spot) {
    static const json::object& status = ConfigSchema().at("definitions").at("status").get_object();
    if (!CheckEnum(value, status.at("enum").get_array(), status, spot)) return;
    if (ParseStatus(value.scalar) || spot.takes_groups) return;
    Report(value, spot, Prefix(spot) + "expected one status, found the group " + InQuotes(value.scalar));
  }

  static std::string ScalarHint(const Node& value, const json::object& schema) {
    if (AllowsType(schema, "boolean")) {
      const std::string word = ToLower(value.scalar);
      if (word == "yes" || word == "on" || word == "y" || word == "true") return "write true";
      if (word == "no" || word == "off" || word == "n" || word == "false") return "write false";
      return {};
    }
    if (!AllowsType(schema, "integer") && !AllowsType(schema, "number")) return {};
    if (value.quoted && ParseNumber(value.scalar)) return "remove the quotes";
    std::string_view digits = value.scalar;
    while (digits.size() > 1 && digits[0] == '0') digits.remove_prefix(1);
    if (digits.size() < value.scalar.size() && ParseInteger(digits)) return "write " + std::string(digits);
    return {};
  }

  // For a bare number where a unit is required.
  static std::string UnitHint(const Node& value, const json::object& schema) {
    const auto pattern = TextAt(schema, "pattern");
    if (!ParseInteger(value.scalar) || pattern.empty()) return {};
    for (const std::string_view unit : {"s", "MiB"}) {
      if (Matches(value.scalar + std::string(unit), pattern))
        return "did you mean " + value.scalar + std::string(unit) + "?";
    }
    return {};
  }

  bool CheckEnum(const Node& value, const json::array& values, const json::object& schema, const Spot& spot) {
    std::vector<std::string> names;
    for (const auto& one : values)
      names.push_back(one.is_string() ? std::string(one.get_string()) : hookswitch::ToText(one));
    if (std::find(names.begin(), names.end(), value.scalar) != names.end()) return true;
    std::string spelled = ToLower(value.scalar);
    std::replace(spelled.begin(), spelled.end(), '_', '-');
    const bool only_spelling = std::find(names.begin(), names.end(), spelled) != names.end();
    const std::string near = only_spelling ? spelled : Nearest(spelled, names);
    WrongKind(value, schema, spot, near.empty() ? std::string() : "did you mean \"" + near + "\"?");
    return false;
  }

  void CheckList(const Node& value, const json::object& schema, const Spot& spot) {
    if (schema.contains("type") && !AllowsType(schema, "array")) return WrongKind(value, schema, spot);
    if (const auto least = CountAt(schema, "minItems"); least && value.list.size() < *least) {
      const std::string count = *least > 1 ? std::to_string(*least) : "one";
      return Report(
          value, spot,
          Prefix(spot) + "expected " + Expected(schema) + " of at least " + count + ", found " + Found(value));
    }
    if (const auto most = CountAt(schema, "maxItems"); most && value.list.size() > *most) {
      return Report(value, spot,
                    Prefix(spot) + "expected at most " + std::to_string(*most) + " items, found " +
                        std::to_string(value.list.size()));
    }
    const auto* items = schema.if_contains("items");
    if (!items) return;
    const json::object& item_schema = Resolve(root_, *items);
    for (const Node& item : value.list) {
      // Items have no key; a block item starts at its first key, which is where its own problems belong.
      Check(item, item_schema,
            {spot.name + "[]", item.where.line > 0 ? item.where : spot.key_where, nullptr, /*takes_groups=*/true});
    }
  }

  void CheckMap(const Node& value, const json::object& schema, const Spot& spot) {
    if (schema.contains("type") && !AllowsType(schema, "object")) return WrongKind(value, schema, spot);
    const auto least = CountAt(schema, "minProperties");
    const auto most = CountAt(schema, "maxProperties");
    if ((least && value.map.size() < *least) || (most && value.map.size() > *most)) WrongKind(value, schema, spot);
    for (const Node::Entry& entry : value.map) CheckEntry(entry, schema, spot);
    if (const auto* names = schema.if_contains("propertyNames")) CheckNames(value, Resolve(root_, *names), spot);
    const auto* required = schema.if_contains("required");
    if (!required || !required->is_array()) return;
    for (const auto& key : required->get_array()) {
      if (!key.is_string() || value.FindEntry(key.get_string())) continue;
      const std::string name(key.get_string());
      if (IsMisspelledIn(value, schema, name)) continue;
      const bool at_key = spot.key_where.line > 0;
      problems_.Error(at_key ? spot.key_where : value.where, spot.KeyWidthOr1(),
                      (spot.name.empty() ? "the config" : spot.name) + " needs \"" + name + "\"",
                      Describe(schema, name));
    }
  }

  void CheckNames(const Node& map, const json::object& schema, const Spot& spot) {
    for (const Node::Entry& entry : map.map) {
      if (problems_.HasErrorAt(entry.key_where)) continue;
      if (mode_ == Mode::kPlugin && RefOf(schema) == "status") Show(entry);
      Check(KeyAsNode(entry), schema, {spot.name, entry.key_where, &entry, /*takes_groups=*/true});
    }
  }

  static bool Refuses(const json::object& schema, std::string_view key) {
    const auto* others = schema.if_contains("additionalProperties");
    return others && others->is_bool() && !others->get_bool() && !PropertySchema(schema, key);
  }

  // True if `name` is already suggested for an unknown key: reporting it as missing would only repeat that.
  static bool IsMisspelledIn(const Node& map, const json::object& schema, std::string_view name) {
    return std::any_of(map.map.begin(), map.map.end(), [&](const Node::Entry& entry) {
      return Refuses(schema, entry.key) && NearestKey(entry.key, schema) == name;
    });
  }

  static std::string Describe(const json::object& schema, const std::string& key) {
    const auto* property = PropertySchema(schema, key);
    if (!property || !property->is_object()) return {};
    std::string words(TextAt(property->get_object(), "description"));
    if (!words.empty() && words.back() == '.') words.pop_back();
    return words;
  }

  void CheckEntry(const Node::Entry& entry, const json::object& schema, const Spot& spot) {
    if (const json::value* property = PropertySchema(schema, entry.key)) {
      if (mode_ == Mode::kPlugin && ObjectAt(schema, "properties") &&
          ObjectAt(schema, "properties")->contains(entry.key))
        Show(entry);
      const std::string key = IsHidden(entry) ? "…" : entry.key;
      const std::string name = spot.name.empty() ? key : spot.name + '.' + key;
      return Check(entry.value, Resolve(root_, *property), {name, entry.key_where, &entry});
    }
    if (!Refuses(schema, entry.key)) return;
    const std::string near = NearestKey(entry.key, schema);
    if (!near.empty() && mode_ == Mode::kPlugin) Show(entry);
    if (near.empty() && mode_ == Mode::kOwn) Hide(entry.value);
    problems_.Error(entry.key_where, KeyWidth(entry),
                    (IsHidden(entry) ? "this" : InQuotes(entry.key)) + " is not a key of " +
                        (spot.name.empty() ? "the config" : spot.name),
                    near.empty() ? KeysOf(schema) : "did you mean \"" + near + "\"?");
  }

  /// "its keys are contains, regex"; "" if there are none, or too many to read.
  static std::string KeysOf(const json::object& schema) {
    constexpr std::size_t kMostKeys = 18;
    const auto* properties = ObjectAt(schema, "properties");
    if (!properties || properties->empty() || properties->size() > kMostKeys) return {};
    std::string keys = properties->size() == 1 ? "its only key is " : "its keys are ";
    for (const auto& property : *properties) {
      if (&property != properties->begin()) keys += ", ";
      keys += property.key();
    }
    return keys;
  }

  const json::object& root_;
  Problems& problems_;
  const Mode mode_;
};

/// What is wrong with a schema's "x-hookswitch-ref" (on a text, with a kind of name), to follow "the schema"; "" if
/// nothing.
std::string RefFault(const json::value& schema) {
  if (const auto* list = schema.if_array()) {
    for (const auto& item : *list) {
      if (auto fault = RefFault(item); !fault.empty()) return fault;
    }
    return {};
  }
  const auto* object = schema.if_object();
  if (!object) return {};
  for (const auto& [key, value] : *object) {
    if (key != "x-hookswitch-ref") {
      if (auto fault = RefFault(value); !fault.empty()) return fault;
      continue;
    }
    const bool known =
        value.is_string() && std::find(kRefs.begin(), kRefs.end(), std::string_view(value.get_string())) != kRefs.end();
    if (!known) {
      return "has an x-hookswitch-ref of " + hookswitch::ToText(value) +
             ", which is none of rule, agent, tag, status and schedule";
    }
    if (!AllowsType(*object, "string")) {
      return "has an x-hookswitch-ref on what is no text: it belongs on a list's items, or on a map's propertyNames";
    }
  }
  return {};
}

}  // namespace

std::string_view PlainWords(std::string_view type) {
  if (type == "string") return "text";
  if (type == "integer") return "a whole number";
  if (type == "number") return "a number";
  if (type == "boolean") return "true or false";
  if (type == "array") return "a list";
  if (type == "object") return "a map";
  return "nothing";
}

std::string NearestKey(std::string_view key, const json::object& schema) {
  std::vector<std::string> names;
  if (const auto* properties = ObjectAt(schema, "properties")) {
    for (const auto& property : *properties) names.emplace_back(property.key());
  }
  auto known = [&](std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  std::string spelled = ToLower(key);
  std::replace(spelled.begin(), spelled.end(), '-', '_');
  std::string near = known(spelled) ? spelled : Nearest(key, names);
  if (near.empty()) {
    for (const auto& [foreign, ours] : kAliases) {
      if (foreign == spelled && known(ours)) near = ours;
    }
  }
  if (near.empty() && known("retry") && (spelled == "retries" || spelled == "max_retries")) near = "retry";
  return near;
}

bool Fits(const Node& value, const json::object& root, const json::object& schema) {
  Problems scratch;
  Checker(root, scratch, Checker::Mode::kTrial).Check(value, schema, {});
  return !scratch.HasErrors();
}

const json::object* ChooseBranch(const Node& value, const json::object& root, const json::array& branches, int depth) {
  std::vector<const json::object*> fitting;
  for (const auto& branch : branches) {
    const json::object& schema = Resolve(root, branch);
    if (KindFits(value, root, schema, depth + 1)) fitting.push_back(&schema);
  }
  if (fitting.empty()) return nullptr;
  if (fitting.size() == 1) return fitting.front();
  for (const json::object* schema : fitting) {
    Problems scratch;
    Checker(root, scratch, Checker::Mode::kTrial).Check(value, *schema, {}, depth + 1);
    if (!scratch.HasErrors()) return schema;
  }
  return fitting.front();
}

const json::object& BranchOf(const Node& value, const json::object& root, const json::object& schema) {
  const json::object* at = &schema;
  for (int depth = 0; depth < kMaxAnyOf; ++depth) {
    const auto* branches = at->if_contains("anyOf");
    if (!branches || !branches->is_array()) break;
    const json::object* branch = ChooseBranch(value, root, branches->get_array(), depth);
    if (!branch) break;
    at = branch;
  }
  return *at;
}

void Check(const Node& value, const json::object& schema, std::string_view at, const Mark& where_if_missing,
           Problems& problems) {
  Checker(schema, problems, Checker::Mode::kOwn).Check(value, schema, {std::string(at), where_if_missing, nullptr});
}

void CheckAgainstSchema(const Node& value, std::string_view schema, std::string_view at, Mark where_if_missing,
                        Problems& problems) {
  json::error_code error;
  const json::value parsed = json::parse(json::string_view(schema.data(), schema.size()), error);
  if (error || !parsed.is_object()) {
    problems.Error(std::move(where_if_missing), 1, "the schema of " + std::string(at) + " is not a JSON object",
                   "this is a fault of the plugin");
    return;
  }
  const json::object& root = parsed.get_object();
  if (const std::string fault = RefFault(parsed); !fault.empty()) {
    problems.Error(std::move(where_if_missing), 1, "the schema of " + std::string(at) + ' ' + fault,
                   "this is a fault of the plugin");
    return;
  }
  Checker(root, problems, Checker::Mode::kPlugin)
      .Check(value, root, {std::string(at), std::move(where_if_missing), nullptr});
}

}  // namespace hookswitch::config
