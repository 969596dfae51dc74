#include "core/config/value_path.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "core/base/text.h"

namespace hookswitch::config {
namespace {

using Root = ValuePath::Root;
using Step = ValuePath::Step;

constexpr std::size_t kMostSteps = 32;
constexpr std::array<std::pair<std::string_view, Root>, 3> kRoots = {{
    {"header:", Root::kHeader},
    {"query:", Root::kQuery},
    {"form:", Root::kForm},
}};

bool IsHeaderCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+.^_`|~-").find(c) != std::string_view::npos;
}

bool EndsBareName(char c) {
  return c == '.' || c == '[' || c == ']' || c == '"' || c == ':' || static_cast<unsigned char>(c) < 0x20;
}

std::string QuotedName(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

class PathParser {
 public:
  explicit PathParser(std::string_view text) : text_(text) {}

  std::variant<ValuePath, PathFault> Parse() {
    if (text_.empty()) return Fault(0, "expected a path such as call.id, found nothing");
    for (const auto& [prefix, root] : kRoots) {
      if (text_.starts_with(prefix)) return Named(prefix, root);
    }
    ValuePath path;
    if (AtWhole()) {
      ++at_;
    } else if (auto fault = Member(path)) {
      return std::move(*fault);
    }
    while (at_ < text_.size()) {
      if (path.steps.size() == kMostSteps) {
        return Fault(at_, "a path has at most " + std::to_string(kMostSteps) + " steps");
      }
      std::optional<PathFault> fault;
      if (text_[at_] == '[') {
        fault = Bracket(path);
      } else if (text_[at_] == '.') {
        ++at_;
        fault = Member(path);
      } else {
        fault = Stray();
      }
      if (fault) return std::move(*fault);
    }
    return path;
  }

 private:
  static PathFault Fault(std::size_t at, std::string message, std::string hint = {}) {
    return {at, std::move(message), std::move(hint)};
  }

  // `$` is the value itself unless it begins a name.
  bool AtWhole() const { return text_ == "$" || text_.starts_with("$.") || text_.starts_with("$["); }

  std::string Found(std::size_t at) const {
    if (at >= text_.size()) return "the end";
    if (static_cast<unsigned char>(text_[at]) < 0x20) return "a control character";
    return "`" + std::string(CutCodePoints(text_.substr(at), 1)) + "`";
  }

  std::variant<ValuePath, PathFault> Named(std::string_view prefix, Root root) const {
    ValuePath path;
    path.root = root;
    path.name = text_.substr(prefix.size());
    const std::string what = root == Root::kHeader ? "a header" : root == Root::kQuery ? "a parameter" : "a field";
    if (path.name.empty()) return Fault(prefix.size(), "expected the name of " + what + ", found the end");
    if (root != Root::kHeader) return path;
    const auto bad = std::ranges::find_if_not(path.name, IsHeaderCharacter);
    if (bad != path.name.end()) {
      const auto at = prefix.size() + static_cast<std::size_t>(bad - path.name.begin());
      return Fault(at, "expected the name of a header, found " + Found(at));
    }
    path.name = ToLower(path.name);
    return path;
  }

  std::optional<PathFault> Member(ValuePath& path) {
    const std::size_t begin = at_;
    if (at_ < text_.size() && text_[at_] == '"') return Quoted(path);
    while (at_ < text_.size() && !EndsBareName(text_[at_])) ++at_;
    const std::string_view name = text_.substr(begin, at_ - begin);
    if (name.empty()) return Fault(begin, "expected a name, found " + Found(begin), NameHint(begin));
    if (name == "*") {
      path.steps.push_back({Step::Kind::kMembers, {}, 0});
      return {};
    }
    if (const auto star = name.find('*'); star != std::string_view::npos) {
      return Fault(begin + star, "`*` stands for every member, so it is no part of a name",
                   "put the name in quotes if it is");
    }
    if (name.front() == ' ') return Fault(begin, "expected a name, found a space");
    if (name.back() == ' ') return Fault(at_ - 1, "expected the name's end, found a space");
    path.steps.push_back({Step::Kind::kMember, std::string(name), 0});
    return {};
  }

  std::string NameHint(std::size_t at) const {
    if (at < text_.size() && text_[at] == '[') return at == 0 ? "write $[0] for an item of the whole body" : "";
    return {};
  }

  std::optional<PathFault> Quoted(ValuePath& path) {
    const std::size_t begin = at_++;
    std::string name;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') {
        ++at_;
        if (at_ >= text_.size() || (text_[at_] != '"' && text_[at_] != '\\')) {
          return Fault(at_ - 1, "after `\\` in a quoted name comes `\"` or `\\`");
        }
      }
      name += text_[at_++];
    }
    if (at_ >= text_.size()) return Fault(begin, "the quote that begins here has no end");
    if (name.empty()) return Fault(begin, "expected a name between the quotes");
    ++at_;
    path.steps.push_back({Step::Kind::kMember, std::move(name), 0});
    return {};
  }

  std::optional<PathFault> Bracket(ValuePath& path) {
    const std::size_t begin = ++at_;
    const auto end = text_.find(']', begin);
    const std::string_view inside = text_.substr(begin, end == std::string_view::npos ? end : end - begin);
    if (end == std::string_view::npos) return Fault(begin - 1, "the `[` that begins here has no `]`");
    at_ = end + 1;
    if (inside == "*") {
      path.steps.push_back({Step::Kind::kItems, {}, 0});
      return {};
    }
    // No list in a request is that long.
    constexpr std::size_t kMostDigits = 9;
    const bool digits = !inside.empty() && inside.size() <= kMostDigits &&
                        std::ranges::all_of(inside, [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) {
      return Fault(begin, "expected a number or * between the brackets, found " + Found(begin),
                   inside.starts_with('-') ? "items are counted from 0" : "");
    }
    std::size_t index = 0;
    std::from_chars(inside.data(), inside.data() + inside.size(), index);
    path.steps.push_back({Step::Kind::kIndex, {}, index});
    return {};
  }

  // What cannot follow a name or a bracket.
  PathFault Stray() const {
    if (text_[at_] == ':') {
      const std::string prefix = ToLower(text_.substr(0, at_)) + ':';
      const auto* const root = std::ranges::find_if(kRoots, [&](const auto& known) {
        return known.first == prefix || prefix == std::string(known.first.substr(0, known.first.size() - 1)) + "s:";
      });
      if (root != kRoots.end()) {
        return Fault(0, "expected header:, query: or form:, found " + std::string(text_.substr(0, at_ + 1)),
                     "did you mean " + std::string(root->first) + "?");
      }
      return Fault(at_, "a name with `:` stands in quotes", "as in '\"a:b\".c'");
    }
    return Fault(at_, "expected `.`, `[` or the end, found " + Found(at_));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

bool IsBare(std::string_view name, bool first) {
  if (name.empty() || name.front() == ' ' || name.back() == ' ' || (first && name == "$")) return false;
  return std::ranges::none_of(name, [](char c) { return EndsBareName(c) || c == '*'; });
}

}  // namespace

std::variant<ValuePath, PathFault> ParseValuePath(std::string_view text) {
  return PathParser(text).Parse();
}

std::string ToText(const ValuePath& path) {
  for (const auto& [prefix, root] : kRoots) {
    if (path.root == root) return std::string(prefix) + path.name;
  }
  if (path.steps.empty()) return "$";
  std::string text;
  for (const Step& step : path.steps) {
    const bool named = step.kind == Step::Kind::kMember || step.kind == Step::Kind::kMembers;
    if (text.empty() && !named) text = "$";
    if (!text.empty() && named) text += '.';
    switch (step.kind) {
      case Step::Kind::kMember: text += IsBare(step.name, text.empty()) ? step.name : QuotedName(step.name); break;
      case Step::Kind::kIndex: text += '[' + std::to_string(step.index) + ']'; break;
      case Step::Kind::kItems: text += "[*]"; break;
      case Step::Kind::kMembers: text += '*'; break;
    }
  }
  return text;
}

bool operator==(const ValuePath& a, const ValuePath& b) {
  return a.root == b.root && a.name == b.name && a.steps == b.steps;
}

}  // namespace hookswitch::config
