#include "core/demo/slack_text.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "core/base/text.h"

namespace hookswitch::demo {
namespace {

constexpr std::size_t kWidth = 76;
constexpr std::size_t kColumn = 38;

std::string Repeat(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

std::string Replace(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string Unescape(std::string text) {
  return Replace(Replace(Replace(std::move(text), "&lt;", "<"), "&gt;", ">"), "&amp;", "&");
}

/// <url|label> as "label (url)", then entities as characters.
std::string Plain(std::string_view mrkdwn) {
  std::string out;
  while (!mrkdwn.empty()) {
    const std::size_t open = mrkdwn.find('<');
    const std::size_t close = open == std::string_view::npos ? open : mrkdwn.find('>', open);
    if (close == std::string_view::npos) break;
    out += mrkdwn.substr(0, open);
    const std::string_view link = mrkdwn.substr(open + 1, close - open - 1);
    const std::size_t bar = link.rfind('|');
    if (bar == std::string_view::npos) {
      out += link;
    } else if (link.starts_with('!')) {
      out += link.substr(bar + 1);
    } else {
      out.append(link.substr(bar + 1)).append(" (").append(link.substr(0, bar)).append(")");
    }
    mrkdwn.remove_prefix(close + 1);
  }
  out += mrkdwn;
  return Unescape(std::move(out));
}

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (true) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

class Drawing {
 public:
  std::string out;

  void Line(std::string_view text = {}) { out.append("  │ ").append(text).append("\n"); }
  void Rule() { Line(Repeat("─", kWidth - 4)); }

  /// mrkdwn: *bold* and ``` fences; all else as it is.
  void Text(std::string_view mrkdwn) {
    bool fenced = false;
    std::string text = Plain(mrkdwn);
    while (!text.empty()) {
      const std::size_t fence = text.find("```");
      const std::string part = text.substr(0, fence);
      const std::string_view shown = fenced ? Trim(part) : std::string_view(part);
      if (!Trim(shown).empty()) {
        for (const std::string& line : Lines(shown)) fenced ? Code(line) : Line(Unmarked(line));
      }
      if (fence == std::string::npos) break;
      text.erase(0, fence + 3);
      fenced = !fenced;
    }
  }

  void Code(std::string_view line) { Line("  ┊ " + std::string(line)); }

  void Fields(const json::array& fields) {
    for (std::size_t i = 0; i < fields.size(); i += 2) {
      std::vector<std::string> left = Lines(Plain(TextOf(fields[i])));
      std::vector<std::string> right =
          i + 1 < fields.size() ? Lines(Plain(TextOf(fields[i + 1]))) : std::vector<std::string>{};
      for (std::size_t row = 0; row < std::max(left.size(), right.size()); ++row) {
        const std::string cell = row < left.size() ? left[row] : "";
        const std::size_t shown = CodePoints(Replace(cell, "*", ""));
        Line(Unmarked(cell) + Repeat(" ", shown < kColumn ? kColumn - shown : 2) +
             (row < right.size() ? Unmarked(right[row]) : ""));
      }
    }
  }

  void RichText(const json::value& value) {
    const json::object* object = value.if_object();
    const json::value* inner = object == nullptr ? nullptr : object->if_contains("elements");
    if (inner == nullptr || !inner->is_array()) return;
    const json::value* type = object->if_contains("type");
    const bool code = type != nullptr && *type == "rich_text_preformatted";
    std::string text;
    for (const json::value& element : inner->get_array()) {
      if (element.is_object() && element.get_object().contains("elements")) {
        RichText(element);
      } else {
        text += TextOf(element);
      }
    }
    if (text.empty()) return;
    for (const std::string& line : Lines(text)) code ? Code(line) : Line(line);
  }

  static std::string TextOf(const json::value& value) {
    const json::object* object = value.if_object();
    if (object == nullptr) return "";
    for (const char* key : {"text", "fallback", "url"}) {
      const json::value* text = object->if_contains(key);
      if (text != nullptr && text->is_string()) return std::string(text->get_string());
      if (text != nullptr && text->is_object()) return TextOf(*text);
    }
    return "";
  }

 private:
  /// *label* without its marks.
  static std::string Unmarked(const std::string& line) {
    std::string shown;
    std::size_t at = 0;
    while (true) {
      const std::size_t open = line.find('*', at);
      const std::size_t close = open == std::string::npos ? open : line.find('*', open + 1);
      if (close == std::string::npos) return shown + line.substr(at);
      shown += line.substr(at, open - at) + line.substr(open + 1, close - open - 1);
      at = close + 1;
    }
  }
};

void DrawBlocks(Drawing& drawing, const json::value& blocks) {
  if (!blocks.is_array()) return;
  for (const json::value& value : blocks.get_array()) {
    const json::object* block = value.if_object();
    const json::value* type = block == nullptr ? nullptr : block->if_contains("type");
    if (type == nullptr) continue;
    if (*type == "header") {
      drawing.Line(Drawing::TextOf(value));
    } else if (*type == "divider") {
      drawing.Rule();
    } else if (*type == "section" || *type == "markdown") {
      if (const std::string text = Drawing::TextOf(value); !text.empty()) drawing.Text(text);
      const json::value* fields = block->if_contains("fields");
      if (fields != nullptr && fields->is_array()) drawing.Fields(fields->get_array());
    } else if (*type == "rich_text") {
      drawing.RichText(value);
    } else if (const json::value* elements = block->if_contains("elements");
               elements != nullptr && elements->is_array()) {
      std::string line;
      for (const json::value& element : elements->get_array()) {
        line += (line.empty() ? "" : "  ·  ") + Plain(Drawing::TextOf(element));
      }
      drawing.Line(line);
    }
  }
}

}  // namespace

std::string DrawSlackMessage(const json::value& value, std::string_view place) {
  Drawing drawing;
  const std::size_t taken = CodePoints(place) + 4;
  drawing.out.append("  ┌─ ").append(place).append(" ");
  drawing.out += Repeat("─", taken < kWidth ? kWidth - taken + 1 : 1) + "\n";
  const json::object* message = value.if_object();
  if (message != nullptr) {
    const json::value* blocks = message->if_contains("blocks");
    const json::value* attachments = message->if_contains("attachments");
    if (blocks != nullptr) DrawBlocks(drawing, *blocks);
    if (attachments != nullptr && attachments->is_array()) {
      for (const json::value& attachment : attachments->get_array()) {
        const json::object* object = attachment.if_object();
        if (object == nullptr) continue;
        if (object->contains("blocks")) DrawBlocks(drawing, object->at("blocks"));
        if (object->contains("text")) drawing.Text(Drawing::TextOf(attachment));
      }
    }
    if (blocks == nullptr && attachments == nullptr) {
      if (message->contains("text")) {
        drawing.Text(Drawing::TextOf(value));
      } else {
        for (const auto& member : *message) {
          drawing.Line(std::string(member.key()) + ": " +
                       (member.value().is_string() ? std::string(member.value().get_string()) : ""));
        }
      }
    }
  }
  drawing.out += "  └" + Repeat("─", kWidth - 1) + "\n";
  return drawing.out;
}

}  // namespace hookswitch::demo
