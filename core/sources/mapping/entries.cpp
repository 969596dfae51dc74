#include "core/sources/mapping/entries.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/text.h"
#include "core/sources/mapping/tables.h"

namespace hookswitch::mapping {
namespace {

using config::EntriesRule;
using config::ValuePath;

/// The key of a value that is not an object: the rule's own name, else what `*` stood for, else the path's last name.
std::string KeyOf(const EntriesRule& rule, std::string_view star) {
  if (!rule.name.empty()) return rule.name;
  if (rule.path.root != ValuePath::Root::kBody) return rule.path.name;
  for (auto step = rule.path.steps.rbegin(); step != rule.path.steps.rend(); ++step) {
    if (step->kind == ValuePath::Step::Kind::kMember && star.empty()) return step->name;
  }
  return std::string(star);
}

class EntriesReader {
 public:
  EntriesReader(Reading& reading, const EntriesRule& rule, payload::MapFiller& filler)
      : reading_(reading), rule_(rule), filler_(filler) {
    if (reading.notes()) path_ = ToText(rule.path);
    stars_ = std::ranges::any_of(rule.path.steps,
                                 [](const auto& step) { return step.kind == ValuePath::Step::Kind::kMembers; });
  }

  void Read() {
    if (!AllMatch(reading_, rule_.when)) return;
    if (rule_.key || rule_.value) {
      reading_.Visit(rule_.path, [&](const json::value& value) {
        ReadPairs(reading_.Opened(value));
        return filler_.full();
      });
      return;
    }
    std::string lines;  // of texts that share a key: those of `[*]`
    std::size_t count = 0;
    const json::value* only = nullptr;
    reading_.Visit(rule_.path, [&](const json::value& value) {
      const json::value& opened = reading_.Opened(value);
      if (opened.is_object() || stars_) {
        PutWhole(opened.is_object() ? opened : value, KeyOf(rule_, stars_ ? reading_.star() : ""));
      } else {
        if (++count > 1) lines += '\n';
        if (lines.size() < payload::kMaxValueBytes) lines += payload::AnyText(&value);
        only = &value;
      }
      return filler_.full();
    });
    if (count == 1) PutWhole(*only, KeyOf(rule_, ""));
    if (count > 1) PutText(KeyOf(rule_, ""), std::move(lines));
  }

 private:
  bool IsSkipped(std::string_view key) const {
    return std::ranges::any_of(rule_.skip, [&](const std::string& glob) { return GlobMatch(glob, key); });
  }

  // An object's members have keys of their own, below the rule's name if it has one.
  void PutWhole(const json::value& value, std::string key) {
    const auto* object = value.if_object();
    if (!object) return Put(std::move(key), value, path_);
    const bool named = !rule_.name.empty() || stars_;
    for (const auto& member : *object) {
      if (filler_.full()) return;
      const std::string_view name(member.key().data(), member.key().size());
      Put(named ? key + '.' + std::string(name) : std::string(name), member.value(), filler_.Below(path_, name));
    }
  }

  void Put(std::string key, const json::value& value, const std::string& path) {
    if (IsSkipped(key)) return;
    const auto* object = value.if_object();
    // Longer keys are cut, so what is below them has no keys of its own.
    if (!object || rule_.skip.empty() || key.size() > payload::kMaxKeyBytes) {
      key.insert(0, rule_.prefix);
      return filler_.PutFlat(std::move(key), value, path);
    }
    for (const auto& member : *object) {
      if (filler_.full()) return;
      const std::string_view name(member.key().data(), member.key().size());
      Put(key + '.' + std::string(name), member.value(), filler_.Below(path, name));
    }
  }

  void PutText(const std::string& key, std::string&& text) {
    if (!IsSkipped(key)) filler_.Put(rule_.prefix + key, payload::Clean(text, payload::kMaxValueBytes), path_);
  }

  void ReadPairs(const json::value& value) {
    if (const auto* list = value.if_array()) {
      for (const auto& item : *list) {
        if (filler_.full()) return;
        ReadPair(item, "");
      }
    } else if (const auto* object = value.if_object()) {
      for (const auto& member : *object) {
        if (filler_.full()) return;
        ReadPair(member.value(), {member.key().data(), member.key().size()});
      }
    }
  }

  // `name`: of the member of an object that `item` is.
  void ReadPair(const json::value& item, std::string_view name) {
    std::string key(name);
    if (rule_.key) {
      const json::value* found = reading_.First(*rule_.key, item);
      key = payload::Text(found, payload::kMaxKeyBytes);
    }
    const json::value* value = rule_.value ? reading_.First(*rule_.value, item) : &item;
    if (key.empty() || !value) return;
    if (!rule_.name.empty()) key = rule_.name + '.' + key;
    Put(std::move(key), reading_.Opened(*value), path_);
  }

  Reading& reading_;
  const EntriesRule& rule_;
  payload::MapFiller& filler_;
  std::string path_;
  bool stars_ = false;
};

}  // namespace

void ReadEntries(Reading& reading, const std::vector<EntriesRule>& rules, payload::MapFiller& filler) {
  for (const EntriesRule& rule : rules) {
    if (filler.full()) return;
    EntriesReader(reading, rule, filler).Read();
  }
}

}  // namespace hookswitch::mapping
