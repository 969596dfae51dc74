#pragma once
#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "core/event/call_event.h"

/// Turns of a transcript, built in the same way for every platform.
namespace hookswitch {

/// What a word before a colon says: whose words follow, and whether they are part of the transcript.
struct Speaker {
  Role role = Role::kSystem;
  bool left_out = false;
};

/// Adds a turn unless `text` has no words.
void AddTurn(std::vector<Turn>& turns, Role role, std::string_view text);

/// Reads "role: words" lines. A line without a known role continues the turn before it; text before the first role
/// becomes `system`. `speaker_of(word)` gives std::optional<Speaker>; words longer than `longest_word` bytes are none.
template <class SpeakerOf>
std::vector<Turn> ReadTurnLines(std::string_view text, std::size_t longest_word, const SpeakerOf& speaker_of) {
  constexpr std::size_t kUsualLines = 64;
  std::vector<Turn> turns;
  turns.reserve(std::min(static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1, kUsualLines));
  Speaker speaker;
  std::size_t start = 0;  // start of the current turn's words
  const auto end_turn = [&](std::size_t end) {
    if (!speaker.left_out) AddTurn(turns, speaker.role, text.substr(start, end - start));
  };
  for (std::size_t line = 0; line < text.size();) {
    const std::size_t newline = text.find('\n', line);
    const std::size_t next = newline == std::string_view::npos ? text.size() : newline + 1;
    const std::size_t colon = text.substr(line, std::min(longest_word + 1, next - line)).find(':');
    if (colon != std::string_view::npos) {
      if (const std::optional<Speaker> found = speaker_of(text.substr(line, colon))) {
        end_turn(line);
        speaker = *found;
        start = line + colon + 1;
      }
    }
    line = next;
  }
  end_turn(text.size());
  return turns;
}

}  // namespace hookswitch
