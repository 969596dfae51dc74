#include "core/config/privacy.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/config/schema_check.h"
#include "core/config/schema_lookup.h"

namespace hookswitch::config {
namespace {

constexpr std::size_t kLongestKey = 32;

bool IsWordLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

struct Extent {
  std::size_t from = 0, to = 0;
};

bool HasPlace(const Mark& where) {
  return where.file && where.line > 0;
}

std::size_t OffsetOf(const Mark& where) {
  return where.file->OffsetOf(where.line, where.column);
}

// `extent` without the punctuation that surrounds values.
Extent Trimmed(const std::string& text, Extent extent) {
  constexpr std::string_view kBefore = " \t\n:[{,", kBehind = " \t\n,]}-?";
  while (extent.from < extent.to && kBefore.find(text[extent.from]) != std::string_view::npos) ++extent.from;
  while (extent.from < extent.to && kBehind.find(text[extent.to - 1]) != std::string_view::npos) --extent.to;
  return extent;
}

// From the start of a scalar or a key of `width` bytes to the next token, including comments.
Extent ExtentOf(const Mark& where, int width) {
  const std::size_t from = OffsetOf(where);
  const std::size_t least = from + static_cast<std::size_t>(width);
  return {from, std::max(least, Trimmed(where.file->text, {from, where.file->NextToken(from)}).to)};
}

using Cover = void (SourceFile::*)(std::size_t, std::size_t) const;

class Hider {
 public:
  explicit Hider(Cover cover) : cover_(cover) {}

  void Add(const Node& value) const {
    if (!HasPlace(value.where)) return;
    const SourceFile& file = *value.where.file;
    const std::size_t from = OffsetOf(value.where);
    switch (value.kind) {
      case Node::Kind::kNull: {
        // An empty value may have an anchor or a tag.
        const char first = from < file.text.size() ? file.text[from] : ' ';
        if (first == '&' || first == '!') Put(file, ExtentOf(value.where, 1));
        return;
      }
      case Node::Kind::kScalar: return Put(file, ExtentOf(value.where, Width(value)));
      case Node::Kind::kList:
        if (!value.list.empty()) AddGap(value.list.front().where, from);
        for (const Node& item : value.list) Add(item);
        return;
      case Node::Kind::kMap:
        if (!value.map.empty()) AddGap(value.map.front().key_where, from);
        for (const Node::Entry& entry : value.map) AddEntry(entry);
        for (const Node::Entry& entry : value.refused) AddEntry(entry);
        return;
    }
  }

  void AddEntry(const Node::Entry& entry) const {
    if (HasPlace(entry.key_where)) {
      const SourceFile& file = *entry.key_where.file;
      if (entry.value.kind == Node::Kind::kNull || !LooksLikeKey(entry.key)) {
        Put(file, ExtentOf(entry.key_where, KeyWidth(entry)));
      } else {
        AddBehindKey(entry);
      }
    }
    Add(entry.value);
  }

  // From a key to the next token: an anchor, or a comment, which a # may have made of the value.
  void AddBehindKey(const Node::Entry& entry) const {
    if (!HasPlace(entry.key_where)) return;
    const SourceFile& file = *entry.key_where.file;
    const std::size_t from = OffsetOf(entry.key_where);
    Put(file, Trimmed(file.text, {from + static_cast<std::size_t>(KeyWidth(entry)), file.NextToken(from)}));
  }

 private:
  void Put(const SourceFile& file, Extent extent) const { (file.*cover_)(extent.from, extent.to); }

  // From the start of a list or map (perhaps its anchor) to the first thing in it.
  void AddGap(const Mark& first, std::size_t from) const {
    if (!HasPlace(first)) return;
    const std::size_t to = OffsetOf(first);
    if (from < to) Put(*first.file, Trimmed(first.file->text, {from, to}));
  }

  Cover cover_;
};

bool HasLikelySecret(const Node& value) {
  const auto in_entry = [](const Node::Entry& entry) { return HasLikelySecret(entry.value); };
  return LooksLikeSecret(value.scalar) || std::any_of(value.list.begin(), value.list.end(), HasLikelySecret) ||
         std::any_of(value.map.begin(), value.map.end(), in_entry) ||
         std::any_of(value.refused.begin(), value.refused.end(), in_entry);
}

class Walker {
 public:
  explicit Walker(const json::object& root) : root_(root) {}

  void Root(const Node& root) const {
    if (root.kind != Node::Kind::kMap) return Hide(root);
    WalkMap(root, root_, /*beside_secrets=*/false);
  }

 private:
  // `beside_secrets`: inside a source, a sink or the like, where a value of the wrong kind may be a misplaced secret.
  void Walk(const Node& value, const json::object& outer, bool beside_secrets) const {
    beside_secrets = beside_secrets || MayHold(outer);
    const json::object* schema = &outer;
    if (const auto* branches = outer.if_contains("anyOf"); branches && branches->is_array()) {
      schema = ChooseBranch(value, root_, branches->get_array());
    }
    const auto wrong_kind = [&] {
      if (beside_secrets || HasLikelySecret(value)) Hide(value);
    };
    if (!schema) return wrong_kind();
    if (Flag(*schema, "x-secret")) {
      if (!IsReference(value)) Seal(value);
      return;
    }
    if (IsOpen(*schema)) return Hide(value);
    switch (value.kind) {
      case Node::Kind::kNull: return;
      case Node::Kind::kScalar:
        if (LooksLikeSecret(value.scalar) && !Fits(value, root_, *schema)) return Hide(value);
        if (!TakesScalars(*schema)) return wrong_kind();
        if (IsHidden(value)) Show(value);  // it has an anchor, and its key was not hidden
        if (beside_secrets) HideComment(value);
        return;
      case Node::Kind::kList:
        return AllowsType(*schema, "array") ? WalkList(value, *schema, beside_secrets) : wrong_kind();
      case Node::Kind::kMap:
        return AllowsType(*schema, "object") ? WalkMap(value, *schema, beside_secrets) : wrong_kind();
    }
  }

  // A # may have turned part of a secret into a comment.
  static void HideComment(const Node& scalar) {
    if (!HasPlace(scalar.where)) return;
    const Extent all = ExtentOf(scalar.where, 0);
    scalar.where.file->Hide(all.from + static_cast<std::size_t>(Width(scalar)), all.to);
  }

  static bool TakesScalars(const json::object& schema) {
    return std::any_of(kScalarTypes.begin(), kScalarTypes.end(),
                       [&](std::string_view type) { return AllowsType(schema, type); });
  }

  static bool IsReference(const Node& value) {
    return value.kind == Node::Kind::kMap && value.refused.empty() && value.map.size() == 1 &&
           (value.map[0].key == "env" || value.map[0].key == "file");
  }

  void WalkList(const Node& value, const json::object& schema, bool beside_secrets) const {
    const json::object& items = Resolve(root_, schema.at("items"));
    for (const Node& item : value.list) Walk(item, items, beside_secrets);
  }

  void WalkMap(const Node& value, const json::object& schema, bool beside_secrets) const {
    for (const Node::Entry& entry : value.map) WalkEntry(entry, schema, beside_secrets);
    for (const Node::Entry& entry : value.refused) WalkEntry(entry, schema, beside_secrets);
  }

  void WalkEntry(const Node::Entry& entry, const json::object& schema, bool beside_secrets) const {
    const json::value* property = PropertySchema(schema, entry.key);
    // A misspelled key may hold what belongs under the right one, or under the one beside it.
    if (!property && !HoldsSecrets(schema)) {
      if (const std::string near = NearestKey(entry.key, schema); !near.empty()) {
        property = PropertySchema(schema, near);
      }
    }
    // A name without a value may not be a name.
    if (beside_secrets && entry.value.kind == Node::Kind::kNull && !LooksLikeKey(entry.key)) property = nullptr;
    if (property) {
      const json::object& own = Resolve(root_, *property);
      // Saves a second pass over thousands of rules: the checker hides the values of unknown keys.
      if (!beside_secrets && !MayHold(own) && !HasLikelySecret(entry.value)) return;
      if (beside_secrets || MayHold(own)) Hider(&SourceFile::Hide).AddBehindKey(entry);
      const bool in_doubt = entry.value.kind == Node::Kind::kScalar && HoldsSecrets(schema) &&
                            (LooksLikeSecret(entry.value.scalar) || !Fits(entry.value, root_, own));
      return in_doubt ? Hide(entry.value) : Walk(entry.value, own, beside_secrets);
    }
    const bool is_key = entry.value.kind != Node::Kind::kNull && !MayHold(schema);
    is_key ? Hide(entry.value) : Hider(&SourceFile::Hide).AddEntry(entry);
  }

  bool HoldsSecrets(const json::object& schema) const {
    const auto* properties = ObjectAt(schema, "properties");
    return properties && std::any_of(properties->begin(), properties->end(), [&](const auto& property) {
             return Flag(Resolve(root_, property.value()), "x-secret");
           });
  }

  // Cached: called for every value of the file, with a few dozen schemas.
  bool MayHold(const json::object& schema) const {
    const auto [it, fresh] = may_hold_.emplace(&schema, false);
    if (fresh) it->second = MayHoldSecrets(root_, schema);
    return it->second;
  }

  const json::object& root_;
  mutable std::unordered_map<const json::object*, bool> may_hold_;
};

// Keys of the config's own schema, by whether secrets may be near them.
struct Vocabulary {
  std::set<std::string, std::less<>> sections;  ///< top-level keys without secrets below
  std::set<std::string, std::less<>> harmless;  ///< keys below those
  std::set<std::string, std::less<>> others;    ///< keys that occur only where secrets may
};

void CollectKeys(const json::object& root, const json::object& schema, std::set<std::string, std::less<>>& keys,
                 std::set<const json::object*>& seen) {
  if (!seen.insert(&schema).second) return;
  for (const char* members : {"properties", "patternProperties"}) {
    const auto* properties = ObjectAt(schema, members);
    if (!properties) continue;
    for (const auto& [key, value] : *properties) {
      if (std::string_view(members) == "properties") keys.insert(std::string(key));
      CollectKeys(root, Resolve(root, value), keys, seen);
    }
  }
  for (const char* member : {"items", "additionalProperties"}) {
    if (const auto* value = schema.if_contains(member)) CollectKeys(root, Resolve(root, *value), keys, seen);
  }
  if (const auto* branches = schema.if_contains("anyOf"); branches && branches->is_array()) {
    for (const auto& branch : branches->get_array()) CollectKeys(root, Resolve(root, branch), keys, seen);
  }
}

const Vocabulary& Words() {
  static const Vocabulary words = [] {
    Vocabulary made;
    const json::object& root = ConfigSchema();
    std::set<const json::object*> seen, seen_beside;
    for (const auto& [name, value] : root.at("properties").get_object()) {
      const json::object& section = Resolve(root, value);
      const bool harmless = !MayHoldSecrets(root, section);
      if (harmless) made.sections.insert(std::string(name));
      harmless ? CollectKeys(root, section, made.harmless, seen) : CollectKeys(root, section, made.others, seen_beside);
    }
    for (const auto& word : made.harmless) made.others.erase(word);
    return made;
  }();
  return words;
}

// A line of a file that is not YAML, split without knowing the lines above it.
struct Line {
  std::size_t from = 0, to = 0;  ///< without the line break
  std::size_t indent = 0;        ///< before dashes
  std::size_t key = 0;           ///< start of the leading key, after dashes
  std::string_view word;         ///< the leading key without quotes; "" if there is none
  std::size_t rest = 0;          ///< after the leading key's colon, or the start of the text
  bool blank = false;
};

// The key at `at`; "" if there is none. `end`: after its colon.
std::string_view KeyAt(std::string_view text, std::size_t at, std::size_t to, std::size_t& end) {
  const bool quoted = at < to && (text[at] == '"' || text[at] == '\'');
  const std::size_t begin = at + (quoted ? 1 : 0);
  std::size_t i = begin;
  while (i < to && IsWordLetter(text[i])) ++i;
  const std::string_view word = text.substr(begin, i - begin);
  if (quoted && (i >= to || text[i] != text[at])) return {};
  if (quoted) ++i;
  if (word.empty() || i >= to || text[i] != ':') return {};
  if (i + 1 < to && text[i + 1] != ' ' && !quoted) return {};
  end = i + 1;
  return word;
}

Line Read(std::string_view text, std::size_t from, std::size_t to) {
  Line line;
  line.from = from;
  line.to = to;
  std::size_t at = from;
  while (at < to && (text[at] == ' ' || text[at] == '\t')) ++at;
  line.indent = at - from;
  line.blank = at == to;
  while (at + 1 < to && text[at] == '-' && text[at + 1] == ' ') {
    while (at + 1 < to && text[at + 1] == ' ') ++at;
    ++at;
  }
  line.key = line.rest = at;
  line.word = KeyAt(text, at, to, line.rest);
  return line;
}

class UnreadHider {
 public:
  explicit UnreadHider(const SourceFile& file) : file_(file), text_(file.text) {}

  void Run() {
    for (std::size_t from = 0; from < text_.size();) {
      const std::size_t to = std::min(text_.find('\n', from), text_.size());
      One(Read(text_, from, to));
      from = to + 1;
    }
  }

 private:
  void One(const Line& line) {
    if (line.blank) return;
    if (line.indent == 0 && line.key == line.from && !line.word.empty()) {
      harmless_ = Words().sections.contains(line.word);
      names_at_ = 0;
    } else if (harmless_ && !line.word.empty() && !IsKnown(line)) {
      harmless_ = false;  // it belongs to another section, whose first line was not recognized
    }
    if (harmless_ && NamesOther(line)) harmless_ = false;
    if (!harmless_ || line.word.empty()) return Cover(line, LooksLikeKey(line.word) ? line.rest : line.key);
    CoverDoubtful(line);
  }

  // Hides what may be misplaced in a harmless line: a comment, and words that mix letters and digits.
  void CoverDoubtful(const Line& line) const {
    const std::size_t doubt = std::min(text_.substr(0, line.to).find(" #", line.rest), line.to);
    file_.Hide(doubt, line.to);
    constexpr std::string_view kBetweenWords = " \t[]{},\"'";
    for (std::size_t at = line.rest; at < doubt;) {
      const std::size_t end = std::min(text_.find_first_of(kBetweenWords, at), doubt);
      if (LooksLikeSecret(text_.substr(at, end - at))) file_.Hide(at, end);
      at = end + 1;
    }
  }

  // Names of agents, schedules and templates stand below their section, all in one column.
  bool IsKnown(const Line& line) {
    if (line.word.starts_with("data.") || line.word.starts_with("meta.")) return true;
    if (Words().harmless.contains(line.word)) return true;
    if (line.indent == 0 || line.key != line.from + line.indent) return false;
    if (names_at_ == 0) names_at_ = line.indent;
    return line.indent == names_at_;
  }

  bool NamesOther(const Line& line) const {
    if (Words().others.contains(line.word)) return true;
    bool other = false;
    ForEachKey(
        line, [&](std::string_view word, std::size_t, std::size_t) { other = other || Words().others.contains(word); });
    return other;
  }

  template <class F>
  void ForEachKey(const Line& line, F with) const {
    for (std::size_t at = line.rest; at < line.to; ++at) {
      const bool may_begin = at == line.rest || std::string_view(" {[,").find(text_[at - 1]) != std::string_view::npos;
      std::size_t end = 0;
      if (!may_begin) continue;
      const std::string_view word = KeyAt(text_, at, line.to, end);
      if (word.empty()) continue;
      with(word, at, end);
      at = end - 1;
    }
  }

  // Hides the line from `from` on, except brackets and the config's own keys.
  void Cover(const Line& line, std::size_t from) const {
    constexpr std::string_view kBetween = " \t[]{},";
    for (std::size_t at = text_.find_first_not_of(kBetween, from); at < line.to;) {
      const std::size_t end = std::min(text_.find_first_of(kBetween, at), line.to);
      file_.Hide(at, end);
      at = text_.find_first_not_of(kBetween, end);
    }
    ForEachKey(line, [&](std::string_view word, std::size_t at, std::size_t end) {
      if (Words().harmless.contains(word) || Words().others.contains(word)) file_.Show(at, end);
    });
  }

  const SourceFile& file_;
  const std::string_view text_;
  bool harmless_ = false;     // of the section that the line belongs to
  std::size_t names_at_ = 0;  // the column of the names in it; 0: not seen yet
};

}  // namespace

void HideUnread(const SourceFile& file) {
  UnreadHider(file).Run();
}

void HidePrivate(const Node& root, const json::object& schema) {
  Walker(schema).Root(root);
}

void Hide(const Node& value) {
  Hider(&SourceFile::Hide).Add(value);
}

void Seal(const Node& value) {
  Hider(&SourceFile::Seal).Add(value);
}

void Show(const Node& scalar) {
  if (scalar.kind != Node::Kind::kScalar || !HasPlace(scalar.where)) return;
  const Extent extent = ExtentOf(scalar.where, Width(scalar));
  scalar.where.file->Show(extent.from, extent.to);
}

void Show(const Node::Entry& entry) {
  if (!HasPlace(entry.key_where)) return;
  const std::size_t from = OffsetOf(entry.key_where);
  entry.key_where.file->Show(from, from + static_cast<std::size_t>(KeyWidth(entry)));
}

bool LooksLikeKey(std::string_view text) {
  if (text == "<<") return true;
  return !text.empty() && text.size() <= kLongestKey && (text[0] < '0' || text[0] > '9') && !LooksLikeSecret(text) &&
         std::all_of(text.begin(), text.end(), IsWordLetter);
}

bool LooksLikeSecret(std::string_view word) {
  constexpr std::size_t kShortest = 8;
  constexpr int kLeastChanges = 2;
  if (word.size() < kShortest) return false;
  int changes = 0;
  char before = ' ';
  for (const char c : word) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!digit && !letter) continue;
    const char kind = digit ? '0' : 'a';
    if (before != ' ' && kind != before) ++changes;
    before = kind;
  }
  return changes >= kLeastChanges;
}

bool IsHidden(const Node& value) {
  return HasPlace(value.where) && value.where.file->Hides(OffsetOf(value.where));
}

bool IsHidden(const Node::Entry& entry) {
  return HasPlace(entry.key_where) && entry.key_where.file->Hides(OffsetOf(entry.key_where));
}

}  // namespace hookswitch::config
