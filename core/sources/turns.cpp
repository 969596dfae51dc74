#include "core/sources/turns.h"

#include <string>

#include "core/base/text.h"
#include "core/sources/payload.h"

namespace hookswitch {

// Cleans the text once, when the turn is complete.
void AddTurn(std::vector<Turn>& turns, Role role, std::string_view text) {
  text = Trim(text);
  if (text.empty()) return;
  std::string words = payload::Clean(text, text.size());
  if (!words.empty()) turns.push_back({role, std::move(words)});
}

}  // namespace hookswitch
