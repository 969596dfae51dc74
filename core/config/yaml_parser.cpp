#include "core/config/yaml_parser.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/text.h"
#include "core/config/privacy.h"
#include "core/config/surrogate_escapes.h"

namespace hookswitch::config {
namespace {

constexpr std::size_t kMaxDepth = 64;
// Aliases copy what they name; without a bound a kilobyte of them can stand for gigabytes.
constexpr std::size_t kMaxRepeatedNodes = 10'000;
constexpr std::size_t kMaxRepeatedBytes = 4 << 20;
constexpr std::size_t kMostReread = 64 << 20;  // bytes, see ParseYaml

struct Refused {};  // thrown through yaml-cpp to end the parse; the problem is recorded already

/// What a copy of a value costs.
struct Size {
  std::size_t nodes = 0, bytes = 0;
};

void AddSize(const Node& node, Size& size) {
  ++size.nodes;
  size.bytes += node.scalar.size();
  for (const Node& item : node.list) AddSize(item, size);
  for (const auto* entries : {&node.map, &node.refused}) {
    for (const Node::Entry& entry : *entries) {
      size.bytes += entry.key.size();
      AddSize(entry.value, size);
    }
  }
}

std::size_t DepthOf(const Node& node) {
  std::size_t depth = 0;
  for (const Node& item : node.list) depth = std::max(depth, DepthOf(item));
  for (const Node::Entry& entry : node.map) depth = std::max(depth, DepthOf(entry.value));
  return depth + 1;
}

class Builder final : public YAML::EventHandler {
 public:
  Builder(std::shared_ptr<const SourceFile> file, const SurrogateEscapes& surrogates, Problems& problems)
      : file_(std::move(file)), surrogates_(surrogates), problems_(problems) {}

  void OnDocumentStart(const YAML::Mark&) override {
    if (root_) second_document_ = true;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    node.where = Begin(mark);
    // yaml-cpp gives an empty value the mark of what follows, perhaps lines later; its key is a better place.
    if (!stack_.empty() && stack_.back().has_key && stack_.back().key_where.line != node.where.line) {
      node.where = stack_.back().key_where;
    }
    if (!stack_.empty() && stack_.back().node.kind == Node::Kind::kList) node.where = DashBefore(node.where);
    Finish(std::move(node), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckTag(mark, tag);
    Node node;
    node.kind = Node::Kind::kScalar;
    node.where = Begin(mark);
    node.scalar = surrogates_.Restore(value);
    node.quoted = tag == "!";
    if (node.quoted) last_quoted_ = node.where;
    Finish(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const Mark where = Begin(mark);
    const auto it = anchors_.find(anchor);
    if (it == anchors_.end()) Refuse(where, 1, "this alias stands inside the value that it names");
    CountRepeated(it->second, where);
    if (stack_.size() + DepthOf(it->second) > kMaxDepth) TooDeep(where);
    Finish(Node(it->second), 0);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    Open(mark, tag, anchor, Node::Kind::kList, style);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    Open(mark, tag, anchor, Node::Kind::kMap, style);
  }
  void OnMapEnd() override { Close(); }

  std::optional<Node> TakeRoot() { return std::move(root_); }
  std::vector<std::size_t> TakeTokens() {
    std::sort(tokens_.begin(), tokens_.end());
    return std::move(tokens_);
  }

  /// The innermost `[` or `{` that is still open.
  std::optional<Mark> OpenBracket() const {
    for (auto it = stack_.rbegin(); it != stack_.rend(); ++it) {
      if (it->flow) return it->node.where;
    }
    return {};
  }
  const Mark& LastEvent() const { return last_event_; }
  const Mark& LastQuoted() const { return last_quoted_; }
  Mark Place(const YAML::Mark& mark) const { return {file_, std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1}; }

 private:
  struct Frame {
    Node node;
    YAML::anchor_t anchor = 0;
    bool flow = false;
    bool has_key = false;
    bool refused = false;  ///< the key was rejected, and its value with it
    std::string key;
    Mark key_where;
    std::map<std::string, Mark, std::less<>> keys{};  ///< of `node`, a map
  };

  // The place of a key, a value or an alias, which begins there.
  Mark Begin(const YAML::Mark& mark) {
    Mark where = Place(mark);
    tokens_.push_back(file_->OffsetOf(where.line, where.column));
    return where;
  }

  // The dash of an empty list item, after which only blanks and comments stand before `next`; `next` if there is none.
  Mark DashBefore(const Mark& next) const {
    for (int line = next.line; line >= 1; --line) {
      std::string_view text = file_->Line(line);
      if (line == next.line) text = text.substr(0, static_cast<std::size_t>(next.column - 1));
      for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '#' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t')) text = text.substr(0, i);
      }
      text = text.substr(0, text.find_last_not_of(" \t") + 1);
      if (text.empty()) continue;
      if (text.back() != '-' || (text.size() > 1 && text[text.size() - 2] != ' ')) break;
      return {file_, line, static_cast<int>(text.size())};
    }
    return next;
  }

  [[noreturn]] void Refuse(const Mark& where, int width, std::string message, std::string hint = {}) {
    problems_.Error(where, width, std::move(message), std::move(hint));
    throw Refused{};
  }
  [[noreturn]] void TooDeep(const Mark& where) {
    Refuse(where, 1, "more than " + std::to_string(kMaxDepth) + " levels deep");
  }

  void CountRepeated(const Node& node, const Mark& where) {
    AddSize(node, repeated_);
    if (repeated_.nodes > kMaxRepeatedNodes) {
      Refuse(where, 1, "anchors and aliases stand for more than " + std::to_string(kMaxRepeatedNodes) + " values");
    }
    if (repeated_.bytes > kMaxRepeatedBytes) {
      Refuse(where, 1,
             "anchors and aliases stand for more than " + std::to_string(kMaxRepeatedBytes >> 20) + " MiB of text");
    }
  }

  void CheckTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    const Mark where = Place(mark);
    const std::size_t from = file_->OffsetOf(where.line, where.column);
    const std::size_t to = std::min(file_->text.find_first_of(" \t\n", from), file_->text.size());
    if (LooksLikeSecret(std::string_view(file_->text).substr(from, to - from))) file_->Hide(from, to);
    problems_.Error(where, 1, "tags such as !!int are not used here: a value's type follows from its key",
                    "remove the tag");
  }

  void CheckSecondDocument(const Mark& where) {
    if (second_document_)
      Refuse(where, 1, "a second document starts here; a config file holds one", "use `include:` for more files");
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Kind kind,
            YAML::EmitterStyle::value style) {
    CheckTag(mark, tag);
    Frame frame;
    frame.node.kind = kind;
    frame.node.where = Begin(mark);
    frame.anchor = anchor;
    frame.flow = style == YAML::EmitterStyle::Flow;
    last_event_ = frame.node.where;
    CheckSecondDocument(frame.node.where);
    if (stack_.size() >= kMaxDepth) TooDeep(frame.node.where);
    stack_.push_back(std::move(frame));
  }

  void Close() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    Finish(std::move(frame.node), frame.anchor);
  }

  void Finish(Node node, YAML::anchor_t anchor) {
    CheckSecondDocument(node.where);
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    if (anchor != 0) {
      CountRepeated(node, node.where);
      anchors_[anchor] = node;
    }
    last_event_ = node.where;
    Frame& frame = stack_.back();
    if (frame.node.kind == Node::Kind::kList) {
      frame.node.list.push_back(std::move(node));
    } else if (!frame.has_key) {
      TakeKey(frame, std::move(node));
    } else {
      frame.has_key = false;
      auto& entries = frame.refused ? frame.node.refused : frame.node.map;
      entries.push_back({std::move(frame.key), std::move(frame.key_where), std::move(node)});
    }
  }

  void TakeKey(Frame& frame, Node key) {
    frame.has_key = true;
    frame.refused = true;
    frame.key_where = key.where;
    if (key.kind != Node::Kind::kScalar) {
      problems_.Error(key.where, 1, "a key must be plain text");
      frame.node.refused.push_back({"", {}, std::move(key)});
      frame.key.clear();
      return;
    }
    frame.key = std::move(key.scalar);
    const int width = static_cast<int>(frame.key.size()) + (key.quoted ? 2 : 0);
    if (frame.key == "<<" && !key.quoted) {
      problems_.Error(key.where, width, "merge keys (<<) are not supported",
                      "write the keys out, or repeat a whole value with an alias (*name)");
      return;
    }
    if (const auto [first, fresh] = frame.keys.emplace(frame.key, key.where); !fresh) {
      problems_.Error(key.where, width,
                      (LooksLikeKey(frame.key) ? '"' + frame.key + '"' : "this key") + " is written twice",
                      "first at " + ToText(first->second));
      return;
    }
    frame.refused = false;
  }

  std::shared_ptr<const SourceFile> file_;
  const SurrogateEscapes& surrogates_;
  Problems& problems_;
  std::vector<Frame> stack_;
  std::map<YAML::anchor_t, Node> anchors_;
  Size repeated_;
  std::optional<Node> root_;
  bool second_document_ = false;
  std::vector<std::size_t> tokens_;
  Mark last_event_;
  Mark last_quoted_;
};

struct Sentence {
  std::string_view begins;  ///< start of yaml-cpp's message
  std::string_view text;
  std::string_view hint;
};
constexpr std::array kSentences = {
    Sentence{"illegal map value", "a second \": \" on this line, or a key that is not indented like its neighbours",
             "put text that holds \": \" into quotes"},
    Sentence{"illegal map key", "a key cannot stand here", "check the indentation"},
    Sentence{"end of map not found", "this does not fit what stands above it",
             "check the indentation and the quotes above"},
    Sentence{"end of sequence not found", "this does not fit the list above it",
             "list items start with \"- \", all in one column"},
    Sentence{"illegal block entry", "a list item (\"- \") cannot stand here", "check the indentation"},
    Sentence{"illegal flow end", "a closing bracket without an opening one", ""},
    Sentence{"unknown token", "text cannot start with this character", "put the text into quotes"},
    Sentence{"illegal tab", "a tab in the indentation", "indent with spaces"},
    Sentence{"unknown escape character", "an unknown escape in double quotes",
             "write \\\\ for a backslash, or use single quotes"},
    Sentence{"bad character found while scanning hex", "a broken \\x or \\u escape",
             "write \\\\ for a backslash, or use single quotes"},
    Sentence{"invalid unicode", "a \\u escape that is no character",
             "surrogates come in pairs, as in \"\\ud83d\\udea8\""},
    Sentence{"the referenced anchor is not defined", "no anchor of this name stands above", ""},
    Sentence{"cannot assign multiple anchors", "two anchors for one value", ""},
    Sentence{"cannot assign multiple tags", "two tags for one value", ""},
    Sentence{"unexpected character in block scalar", "only the end of the line may follow | or >", ""},
    Sentence{"bad YAML version", "a directive that is none",
             "a line that starts with % is one: put the text into quotes"},
    Sentence{"alias not found after", "a name must follow *", "put text that starts with * into quotes"},
    Sentence{"anchor not found after", "a name must follow &", "put text that starts with & into quotes"},
    Sentence{"illegal character found while scanning alias", "a name must follow *",
             "put text that starts with * into quotes"},
    Sentence{"illegal character found while scanning anchor", "a name must follow &",
             "put text that starts with & into quotes"},
};

// The first quote after `from` that can open a quoted text: yaml-cpp reports an unterminated one at the end of the
// file.
Mark OpeningQuote(const SourceFile& file, const Mark& from) {
  const std::string_view text = file.text;
  const std::size_t at = file.OffsetOf(from.line, from.column);
  Mark mark = from;
  for (std::size_t i = at; i < text.size(); ++i) {
    const char before = i == 0 ? ' ' : text[i - 1];
    if ((text[i] == '"' || text[i] == '\'') && std::string_view(" \t\n[{,:-").find(before) != std::string_view::npos)
      return mark;
    ++mark.column;
    if (text[i] == '\n') {
      ++mark.line;
      mark.column = 1;
    }
  }
  return from;
}

bool TabIndented(const SourceFile& file, int line) {
  const std::string_view text = file.Line(line);
  const auto first = text.find_first_not_of(" \t");
  return text.substr(0, first).find('\t') != std::string_view::npos;
}

void Explain(const YAML::Exception& error, const Builder& builder, const std::shared_ptr<const SourceFile>& file,
             Problems& problems) {
  const std::string_view message = error.msg;
  Mark where = builder.Place(error.mark);
  if (message.starts_with("illegal document indicator in scalar") || message.starts_with("illegal EOF in scalar")) {
    Mark from = builder.LastEvent();
    if (!from.file) from = {file, 1, 1};
    problems.Error(OpeningQuote(*file, from), 1, "this quote is never closed");
    return;
  }
  if (message.starts_with("end of map flow") || message.starts_with("end of sequence flow")) {
    const bool map = message.starts_with("end of map flow");
    if (const auto bracket = builder.OpenBracket()) where = *bracket;
    problems.Error(where, 1,
                   map ? "this \"{\" is not closed, or a comma is missing after it"
                       : "this \"[\" is not closed, or a comma is missing after it");
    return;
  }
  for (const int line : {where.line, where.line - 1}) {
    if (line >= 1 && TabIndented(*file, line)) {
      problems.Error({file, line, 1}, 1, "a tab in the indentation", "indent with spaces");
      return;
    }
  }
  const Mark& quoted = builder.LastQuoted();
  if (quoted.file && quoted.line < where.line && builder.LastEvent().line == quoted.line &&
      builder.LastEvent().column == quoted.column) {
    problems.Error(quoted, 1, "this quote is closed only at line " + std::to_string(where.line),
                   "is a closing quote missing?");
    return;
  }
  for (const Sentence& sentence : kSentences) {
    if (message.starts_with(sentence.begins)) {
      problems.Error(where, 1, std::string(sentence.text), std::string(sentence.hint));
      return;
    }
  }
  problems.Error(where, 1, "not YAML");
}

// Rejects bytes that no config needs and that YAML parsers treat differently.
bool CheckBytes(const std::shared_ptr<const SourceFile>& file, Problems& problems) {
  if (file->text.size() > kMaxFileBytes) {
    problems.Error({file, 0, 0}, 1, "larger than " + std::to_string(kMaxFileBytes >> 20) + " MiB");
    return false;
  }
  std::string_view rest = file->text;
  for (int line = 1; !rest.empty(); ++line) {
    const std::string_view text = rest.substr(0, rest.find('\n'));
    const auto control = std::find_if(text.begin(), text.end(), [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return (byte < 0x20 && c != '\t') || byte == 0x7F;
    });
    if (control != text.end()) {
      problems.Error({file, line, static_cast<int>(control - text.begin()) + 1}, 1, "a control character",
                     "is this a text file in UTF-8?");
      return false;
    }
    if (!IsUtf8(text)) {
      std::size_t good = 0;
      while (good < text.size()) {
        std::size_t length = 1;
        while (length < 4 && !IsUtf8(text.substr(good, length))) ++length;
        if (!IsUtf8(text.substr(good, length))) break;
        good += length;
      }
      problems.Error({file, line, static_cast<int>(good) + 1}, 1, "not UTF-8");
      return false;
    }
    rest.remove_prefix(std::min(text.size() + 1, rest.size()));
  }
  return true;
}

}  // namespace

std::shared_ptr<const SourceFile> MakeSourceFile(std::string path, std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::string clean;
  clean.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    clean += text[i];
  }
  return std::make_shared<const SourceFile>(std::move(path), std::move(clean));
}

std::optional<Node> ParseYaml(const std::shared_ptr<const SourceFile>& file, Problems& problems) {
  if (!CheckBytes(file, problems)) {
    HideUnread(*file);
    return {};
  }
  // In yaml-cpp 0.7 an unterminated quote silently swallows the rest of the file, but not a document end.
  std::string text = file->text + "\n...\n";
  SurrogateEscapes surrogates;
  // Each quoted text with surrogates costs a pass; this bounds the bytes that are read again.
  std::size_t passes = std::max<std::size_t>(kMostReread / text.size(), 2);
  for (const Problems before = problems;; problems = before) {
    Builder builder(file, surrogates, problems);
    try {
      std::istringstream stream(text);
      YAML::Parser parser(stream);
      while (parser.HandleNextDocument(builder)) {
      }
      file->SetTokens(builder.TakeTokens());
      auto root = builder.TakeRoot();
      if (!root) {
        root.emplace();
        root->where = {file, 0, 0};
      }
      return root;
    } catch (const Refused&) {
      // already reported
    } catch (const YAML::Exception& error) {
      const Mark where = builder.Place(error.mark);
      if (!surrogates.StandIn(text, file->OffsetOf(where.line, where.column))) {
        Explain(error, builder, file, problems);
      } else if (passes-- > 1) {
        continue;
      } else {
        problems.Error(where, 1, "too many texts with pairs of \\u escapes",
                       "write the characters themselves, in UTF-8");
      }
    } catch (const std::exception&) {
      problems.Error({file, 0, 0}, 1, "not YAML");
    }
    HideUnread(*file);
    return {};
  }
}

}  // namespace hookswitch::config
