#include "core/message/text_template.h"

#include <algorithm>
#include <charconv>
#include <kainjow/mustache.hpp>
#include <map>
#include <sstream>

#include "core/base/text.h"
#include "core/message/variables.h"

namespace hookswitch::message {
namespace {

namespace mustache = kainjow::mustache;
using Component = mustache::component<std::string>;
using Type = mustache::tag_type;

// {{x}} and {{#x}} treat a missing x differently, but the library looks both up by the same name. So value tags are
// renamed before it sees them. No variable's name contains this mark.
constexpr char kShown = '$';
constexpr std::string_view kItem = ".";

// Limit of nested sections: the library renders them recursively.
constexpr std::size_t kMaxTemplateBytes = 16'384;

// The tag as written, from the offset that the parser reports.
std::string TagAt(std::string_view text, std::size_t offset) {
  const auto end = text.find("}}", offset);
  if (end == std::string_view::npos) return std::string(text.substr(offset, text.find('\n', offset) - offset));
  const bool triple = text.substr(offset).starts_with("{{{") && text.substr(end).starts_with("}}}");
  return std::string(text.substr(offset, end + (triple ? 3 : 2) - offset));
}

class Checker {
 public:
  Checker(const std::string& text, std::vector<TextTemplate::Fault>& faults) : text_(text), faults_(faults) {}

  // The template for the library's renderer, with value tags marked.
  std::string Rewrite(const Component& component, bool in_section) {
    std::string out;
    for (const Component& child : component.children) {
      switch (child.tag.type) {
        case Type::text: out += child.text; break;
        case Type::variable:
        case Type::unescaped_variable:
          Check(child, in_section);
          out += child.tag.name == kItem ? "{{&.}}" : "{{&" + (kShown + child.tag.name) + "}}";
          break;
        case Type::section_begin:
        case Type::section_begin_inverted:
          Check(child, in_section);
          out += (child.tag.type == Type::section_begin ? "{{#" : "{{^") + child.tag.name + "}}";
          out += Rewrite(child, true) + "{{/" + child.tag.name + "}}";
          break;
        case Type::section_end:
        case Type::comment: break;
        case Type::partial: Add(child, "templates cannot include others", "write its text here"); break;
        case Type::set_delimiter: Add(child, "the delimiters of tags cannot be changed", ""); break;
      }
    }
    return out;
  }

  void AddSyntaxError(std::string message) {
    std::size_t offset = 0;
    if (const auto at = message.rfind(" at "); at != std::string::npos) {
      std::from_chars(message.data() + at + 4, message.data() + message.size(), offset);
      message.erase(at);
    }
    if (!message.empty()) message = ToLower(message.substr(0, 1)) + message.substr(1);
    const bool open = message == "unclosed tag";
    faults_.push_back({offset, TagAt(text_, std::min(offset, text_.size())), message, open ? "close it with }}" : ""});
  }

 private:
  void Check(const Component& component, bool in_section) {
    const std::string& name = component.tag.name;
    if (name == kItem) {
      const bool shows = component.tag.type == Type::variable || component.tag.type == Type::unescaped_variable;
      if (!in_section || !shows) Add(component, "{{.}} stands for the item of a section such as {{#tags}}", "");
      return;
    }
    if (IsVariable(name) && name.find("}}") == std::string::npos) return;
    if (name.empty()) return Add(component, "a tag needs the name of a variable", "");
    const std::string near = Nearest(name, VariableNames());
    Add(component, "\"" + name + "\" is not a variable of templates",
        near.empty() ? "extracted values are data.<key>; config/README.md, \"Templates\", has the other names"
                     : "did you mean \"" + near + "\"?");
  }

  void Add(const Component& component, std::string message, std::string hint) {
    faults_.push_back({component.position, TagAt(text_, component.position), std::move(message), std::move(hint)});
  }

  const std::string& text_;
  std::vector<TextTemplate::Fault>& faults_;
};

// Looks values up on demand, so that a short template does not build a transcript.
class EventContext final : public mustache::basic_context<std::string> {
 public:
  explicit EventContext(const CallEvent& event) : event_(event) {}

  void push(const mustache::data* data) override { items_.push_back(data); }
  void pop() override { items_.pop_back(); }
  const mustache::data* get(const std::string& name) const override {
    if (name == kItem) return items_.empty() ? nullptr : items_.back();
    auto it = values_.find(name);
    if (it == values_.end()) it = values_.emplace(name, Make(name)).first;
    return &it->second;
  }
  const mustache::data* get_partial(const std::string&) const override { return nullptr; }

 private:
  mustache::data Make(const std::string& name) const {
    if (name[0] == kShown) {
      std::string value = ValueOf(event_, std::string_view(name).substr(1));
      return value.empty() ? std::string("-") : value;
    }
    if (name == "tags") {
      mustache::list tags;
      for (const std::string& tag : event_.agent_tags) tags.emplace_back(tag);
      return tags;
    }
    std::string value = ValueOf(event_, name);
    if (value.empty() || value == "false") return false;
    return value;
  }

  const CallEvent& event_;
  std::vector<const mustache::data*> items_;
  mutable std::map<std::string, mustache::data> values_;
};

}  // namespace

struct TextTemplate::Impl {
  explicit Impl(const std::string& text) : parsed(text) {}
  mustache::mustache parsed;
};

TextTemplate::TextTemplate(const std::string& text, std::vector<Fault>& faults) {
  if (text.size() > kMaxTemplateBytes) {
    faults.push_back({0, TagAt(text, 0), "is longer than " + std::to_string(kMaxTemplateBytes) + " bytes", ""});
    impl_ = std::make_unique<Impl>("");
    return;
  }
  mustache::context<std::string> nothing;
  mustache::context_internal<std::string> context(nothing);
  Component root;
  std::string error;
  const mustache::parser<std::string> parser(text, context, root, error);
  Checker checker(text, faults);
  if (!error.empty()) checker.AddSyntaxError(error);
  const std::size_t before = faults.size();
  std::string rewritten = checker.Rewrite(root, false);
  if (!error.empty() || faults.size() > before) rewritten.clear();
  impl_ = std::make_unique<Impl>(rewritten);
}

TextTemplate::~TextTemplate() = default;
TextTemplate::TextTemplate(TextTemplate&&) noexcept = default;
TextTemplate& TextTemplate::operator=(TextTemplate&&) noexcept = default;

std::string TextTemplate::Render(const CallEvent& event) const {
  EventContext context(event);
  std::ostringstream stream;
  // The library's render is not const because of lambdas and partials; without them it changes nothing.
  impl_->parsed.render(context, stream);
  return std::string(CutCodePoints(stream.view(), kMaxCodePoints));
}

std::optional<std::string> Expand(const CallEvent& event, std::string_view text) {
  std::vector<TextTemplate::Fault> faults;
  const TextTemplate made(std::string(text), faults);
  if (!faults.empty()) return std::nullopt;
  return made.Render(event);
}

}  // namespace hookswitch::message
