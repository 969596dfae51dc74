#include "core/config/env_file.h"

#include <algorithm>

#include "core/base/text.h"

namespace hookswitch::config {
namespace {

constexpr std::string_view kWhite = " \t\r\n", kLineEnds = "\r\n", kEscapable = "\"\\`$";

bool IsOneOf(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

bool IsName(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

// The states of systemd's own parser (parse_env_file_internal in src/basic/env-file.c of version 254), so that both
// read the same values: text after a closing quote belongs to the value, too.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  EnvFile Run() {
    if (!IsUtf8(text_) || text_.find('\0') != std::string_view::npos) {
      file_.is_text = false;
      return std::move(file_);
    }
    for (const char c : text_) {
      Take(c);
      if (c == '\n') ++line_;
    }
    if (state_ == State::kName) NoValue();
    if (state_ == State::kSingleQuoted || state_ == State::kDoubleQuoted || state_ == State::kDoubleQuotedEscape) {
      file_.faults.push_back({quote_line_, "this quote is never closed", ""});
    }
    if (state_ != State::kStart && state_ != State::kName && state_ != State::kComment) End();
    return std::move(file_);
  }

 private:
  enum class State {
    kStart,
    kName,
    kBeforeValue,
    kValue,
    kEscape,
    kSingleQuoted,
    kDoubleQuoted,
    kDoubleQuotedEscape,
    kComment
  };

  void Take(char c) {
    switch (state_) {
      case State::kStart:
        if (IsOneOf(c, "#;")) {
          state_ = State::kComment;
        } else if (!IsOneOf(c, kWhite)) {
          state_ = State::kName;
          name_ = c;
          name_line_ = line_;
        }
        return;
      case State::kName:
        if (IsOneOf(c, kLineEnds)) return NoValue();
        if (c == '=') {
          state_ = State::kBeforeValue;
          value_.clear();
          kept_ = 0;
        } else {
          name_ += c;
        }
        return;
      case State::kBeforeValue:
        if (IsOneOf(c, kLineEnds)) return End();
        if (c == '\'' || c == '"') {
          state_ = c == '"' ? State::kDoubleQuoted : State::kSingleQuoted;
          quote_line_ = line_;
        } else if (c == '\\') {
          state_ = State::kEscape;
        } else if (!IsOneOf(c, kWhite)) {
          state_ = State::kValue;
          Keep(c);
        }
        return;
      case State::kValue:
        if (IsOneOf(c, kLineEnds)) return End();
        if (c == '\\') {
          state_ = State::kEscape;
          kept_ = value_.size();
        } else {
          value_ += c;
          if (!IsOneOf(c, kWhite)) kept_ = value_.size();
        }
        return;
      case State::kEscape:
        state_ = State::kValue;
        if (!IsOneOf(c, kLineEnds)) Keep(c);
        return;
      case State::kSingleQuoted:
        if (c == '\'') {
          state_ = State::kBeforeValue;
        } else {
          Keep(c);
        }
        return;
      case State::kDoubleQuoted:
        if (c == '"') {
          state_ = State::kBeforeValue;
        } else if (c == '\\') {
          state_ = State::kDoubleQuotedEscape;
        } else {
          Keep(c);
        }
        return;
      case State::kDoubleQuotedEscape:
        state_ = State::kDoubleQuoted;
        if (c != '\n' && !IsOneOf(c, kEscapable)) Keep('\\');
        if (c != '\n') Keep(c);
        return;
      case State::kComment:
        if (IsOneOf(c, kLineEnds)) state_ = State::kStart;
        return;
    }
  }

  void Keep(char c) {
    value_ += c;
    kept_ = value_.size();
  }

  void NoValue() {
    state_ = State::kStart;
    if (!Trim(name_).empty()) file_.faults.push_back({name_line_, "this line is not read: it is not NAME=value", ""});
  }

  void End() {
    state_ = State::kStart;
    const std::string_view name = Trim(name_);
    if (!IsName(name)) {
      const bool exported = name.starts_with("export ");
      file_.faults.push_back({name_line_, "this line is not read: what stands before = is not a variable's name",
                              exported ? "write NAME=value without export" : ""});
      return;
    }
    value_.resize(kept_);
    file_.variables.insert_or_assign(std::string(name), value_);
  }

  const std::string_view text_;
  EnvFile file_;
  State state_ = State::kStart;
  int line_ = 1, name_line_ = 1, quote_line_ = 1;
  std::string name_, value_;
  std::size_t kept_ = 0;  // length of value_ without white space that is dropped if nothing follows
};

}  // namespace

EnvFile ParseEnvFile(std::string_view text) {
  return Parser(text).Run();
}

}  // namespace hookswitch::config
