// Random messages, most of them nasty.
#pragma once
#include <array>
#include <random>
#include <string>

#include "core/event/message.h"

namespace hookswitch::test {

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::size_t Below(std::size_t most) { return std::uniform_int_distribution<std::size_t>(0, most - 1)(engine_); }

  std::string Text(std::size_t most_parts) {
    static constexpr std::array<std::string_view, 38> kParts = {
        "a", " ", "\n", "\r\n", "&", "<", ">", "`", "```", "<!channel>", "<@U012AB3CD>", "&amp;", "*b*", "_i_", "\t",
        "|", "\x01", "\xF0\x9F\x98\x80", "\xD7\xA9\xD7\x9C", "e\xCC\x81", "\xE2\x80\xAE", "\"", "\\",
        "https://e.test/?a=1&b=2",
        // What begins a block, white space of other alphabets, and what no text has.
        "\n15. March", "\n1) ", "\n- ", "\n+\n", "\n# ", "\n> ", "\n===\n", "\n---\n", "\n    code", "\xC2\xA0",
        "\xE3\x80\x80", "\xE2\x80\xA8", "\xEF\xBF\xBE", "\xEF\xB7\x90"};
    std::string text;
    for (std::size_t i = Below(most_parts + 1); i > 0; --i) text += kParts[Below(kParts.size())];
    return text;
  }

 private:
  std::mt19937 engine_;
};

inline Message RandomMessage(Random& random) {
  static constexpr std::array<std::size_t, 5> kSizes = {0, 3, 60, 1500, 9000};
  auto size = [&] { return kSizes[random.Below(kSizes.size())]; };
  Message message;
  message.title = random.Text(size());
  for (std::size_t i = random.Below(14); i > 0; --i) message.fields.push_back({random.Text(20), random.Text(size())});
  message.text = random.Text(size());
  message.transcript = random.Text(size());
  for (std::size_t i = random.Below(13); i > 0; --i) {
    message.links.push_back({random.Text(10), (random.Below(4) ? "https://" : "") + random.Text(size())});
  }
  if (random.Below(2))
    message.at =
        WallTime(std::chrono::milliseconds(1'700'000'000'000 + static_cast<std::int64_t>(random.Below(1'000'000))));
  return message;
}

}  // namespace hookswitch::test
