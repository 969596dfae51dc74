#include "core/sources/bolna_transcript.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/text.h"
#include "core/sources/payload.h"
#include "core/sources/turns.h"

namespace hookswitch::bolna {
namespace {

struct RoleName {
  std::string_view name;
  Role role;
};
// Bolna's open-source engine writes assistant, user, system, assistant_tool_call and tool_response; hand-made test
// bodies say agent or bot. No other word in a text counts as a role: "Doctor: …" may be what somebody said.
constexpr std::array kLineRoles = {RoleName{"assistant", Role::kAgent},
                                   RoleName{"user", Role::kUser},
                                   RoleName{"agent", Role::kAgent},
                                   RoleName{"bot", Role::kAgent},
                                   RoleName{"system", Role::kSystem},
                                   RoleName{"tool_response", Role::kTool},
                                   RoleName{"assistant_tool_call", Role::kTool}};
// In a list the role has a field of its own, so more words are safe.
constexpr std::array kListRoles = {RoleName{"ai", Role::kAgent}, RoleName{"human", Role::kUser},
                                   RoleName{"customer", Role::kUser}, RoleName{"tool", Role::kTool},
                                   RoleName{"function", Role::kTool}};

template <std::size_t N>
std::optional<Role> Lookup(const std::array<RoleName, N>& roles, std::string_view name) {
  for (const auto& role : roles) {
    if (EqualsIgnoreCase(role.name, name)) return role.role;
  }
  return {};
}

std::vector<Turn> ReadLines(std::string_view text) {
  constexpr std::size_t kLongestRole = std::string_view("assistant_tool_call").size();
  return ReadTurnLines(text, kLongestRole, [](std::string_view word) -> std::optional<Speaker> {
    const auto role = Lookup(kLineRoles, word);
    return role ? std::optional(Speaker{*role}) : std::nullopt;
  });
}

std::vector<Turn> ReadList(const json::array& list) {
  std::vector<Turn> turns;
  for (const auto& item : list) {
    const auto* turn = item.if_object();
    const auto* words = payload::Find(turn, "content");
    if (!words) words = payload::Find(turn, "text");
    const auto* text = words ? words->if_string() : nullptr;
    if (!text) continue;
    const std::string name = payload::Text(payload::Find(turn, "role"), 64);
    auto role = Lookup(kLineRoles, name);
    if (!role) role = Lookup(kListRoles, name);
    AddTurn(turns, role.value_or(Role::kSystem), {text->data(), text->size()});
  }
  return turns;
}

}  // namespace

std::vector<Turn> ReadTranscript(const json::value* value) {
  if (!value) return {};
  if (const auto* text = value->if_string()) return ReadLines({text->data(), text->size()});
  if (const auto* list = value->if_array()) return ReadList(*list);
  return {};
}

}  // namespace hookswitch::bolna
