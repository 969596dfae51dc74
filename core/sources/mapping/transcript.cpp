#include "core/sources/mapping/transcript.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>

#include "core/base/text.h"
#include "core/sources/mapping/tables.h"
#include "core/sources/turns.h"

namespace hookswitch::mapping {
namespace {

using config::TurnsRule;
using config::ValuePath;
using config::ValueTable;

constexpr std::size_t kLongestRole = 64, kUsualTurns = 64;

struct RoleWord {
  std::string_view word;
  Role role;
};
constexpr RoleWord kUsualWords[] = {{"assistant", Role::kAgent},
                                    {"agent", Role::kAgent},
                                    {"ai", Role::kAgent},
                                    {"bot", Role::kAgent},
                                    {"user", Role::kUser},
                                    {"human", Role::kUser},
                                    {"customer", Role::kUser},
                                    {"caller", Role::kUser},
                                    {"system", Role::kSystem},
                                    {"tool", Role::kTool},
                                    {"tool_calls", Role::kTool},
                                    {"tool_call_result", Role::kTool},
                                    {"tool_call_invocation", Role::kTool},
                                    {"function", Role::kTool}};

std::optional<Role> UsualRole(std::string_view word) {
  const auto* found =
      std::ranges::find_if(kUsualWords, [&](const RoleWord& usual) { return EqualsIgnoreCase(usual.word, word); });
  return found == std::end(kUsualWords) ? std::nullopt : std::optional(found->role);
}

Speaker Named(std::string_view role) {
  return {UsualRole(role).value_or(Role::kSystem)};
}

Speaker SpeakerOf(const ValueTable& roles, std::string_view word) {
  if (const auto* entry = EntryFor(roles, word))
    return entry->nothing ? Speaker{.left_out = true} : Named(entry->value);
  if (const auto usual = UsualRole(word)) return {*usual};
  return roles.otherwise ? Named(*roles.otherwise) : Speaker{};
}

// In a text no other word than one that is written out counts: "Doctor: …" may be what somebody said.
std::optional<Speaker> SpeakerOfLine(const ValueTable& roles, std::string_view word) {
  for (const auto& entry : roles.entries) {
    if (EqualsIgnoreCase(entry.glob, word)) return entry.nothing ? Speaker{.left_out = true} : Named(entry.value);
  }
  const auto usual = UsualRole(word);
  return usual ? std::optional(Speaker{*usual}) : std::nullopt;
}

class TurnsReader {
 public:
  TurnsReader(Reading& reading, const TurnsRule& rule, std::vector<Turn>& turns)
      : reading_(reading), rule_(rule), turns_(turns) {}

  void Read(const json::value& value) {
    const json::value& opened = reading_.Opened(value);
    if (const auto* list = opened.if_array()) {
      turns_.reserve(turns_.size() + std::min(list->size(), kUsualTurns));
      for (const auto& item : *list) ReadItem(item);
    } else if (opened.is_object()) {
      ReadItem(opened);
    } else if (const auto* text = opened.if_string()) {
      auto lines = ReadTurnLines({text->data(), text->size()}, kLongestRole,
                                 [&](std::string_view word) { return SpeakerOfLine(rule_.roles, Trim(word)); });
      if (turns_.empty()) {
        turns_ = std::move(lines);
      } else {
        std::ranges::move(lines, std::back_inserter(turns_));
      }
    }
  }

 private:
  void ReadItem(const json::value& item) {
    if (!AllMatch(reading_, rule_.only, item)) return;
    const auto* object = item.if_object();
    if (!object) {
      if (item.is_string()) Read(item);
      return;
    }
    const Speaker speaker = SpeakerIn(item, *object);
    if (!speaker.left_out) AddText(speaker.role, item, *object);
  }

  Speaker SpeakerIn(const json::value& item, const json::object& object) {
    const json::value* role = nullptr;
    if (rule_.role.empty()) role = payload::Find(&object, "role");
    for (const ValuePath& path : rule_.role) {
      if (!role) role = reading_.First(path, item);
    }
    std::string buffer;
    return SpeakerOf(rule_.roles, role ? WordOf(*role, buffer) : std::string_view());
  }

  void AddText(Role role, const json::value& item, const json::object& object) {
    if (rule_.text.empty()) {
      for (const std::string_view key : {"content", "message", "text"}) {
        const json::value* value = payload::Find(&object, key);
        if (value && AddWords(role, {value})) return;
      }
      return;
    }
    for (const ValuePath& path : rule_.text) {
      std::vector<const json::value*> found;
      reading_.Visit(path, item, [&](const json::value& value) {
        found.push_back(&value);
        return false;
      });
      if (AddWords(role, found)) return;
    }
  }

  /// Texts are lines of one turn; a list holds texts, or parts that have one (OpenAI's messages).
  bool AddWords(Role role, const std::vector<const json::value*>& found) {
    const std::size_t before = turns_.size();
    if (found.size() == 1 && found.front()->is_string()) {
      AddTurn(turns_, role, found.front()->get_string());
      return turns_.size() > before;
    }
    std::string words;
    const auto append = [&words](const json::value* value) {
      const auto* text = value ? value->if_string() : nullptr;
      if (!text || text->empty()) return;
      if (!words.empty()) words += '\n';
      words.append(text->data(), text->size());
    };
    for (const json::value* value : found) {
      append(value);
      const auto* parts = value->if_array();
      if (!parts) continue;
      for (const auto& part : *parts) append(part.is_object() ? payload::Find(&part.get_object(), "text") : &part);
    }
    AddTurn(turns_, role, words);
    return turns_.size() > before;
  }

  Reading& reading_;
  const TurnsRule& rule_;
  std::vector<Turn>& turns_;
};

}  // namespace

std::vector<Turn> ReadTranscript(Reading& reading, const std::vector<TurnsRule>& rules) {
  std::vector<Turn> turns;
  for (const TurnsRule& rule : rules) {
    if (!AllMatch(reading, rule.when)) continue;
    for (const ValuePath& path : rule.paths) {
      TurnsReader reader(reading, rule, turns);
      reading.Visit(path, [&](const json::value& value) {
        reader.Read(value);
        return false;
      });
      if (turns.empty()) continue;
      reading.Gave("transcript", path);
      return turns;
    }
  }
  return turns;
}

}  // namespace hookswitch::mapping
