#include "core/base/json.h"

#include <charconv>
#include <cmath>

#include "core/base/text.h"

namespace hookswitch {
namespace {

class Printer {
 public:
  Printer(std::string& out, int indent) : out_(out), indent_(indent) {}

  void Print(const json::value& value) {
    switch (value.kind()) {
      case json::kind::null: out_ += "null"; return;
      case json::kind::bool_: out_ += value.get_bool() ? "true" : "false"; return;
      case json::kind::int64: return Number(value.get_int64());
      case json::kind::uint64: return Number(value.get_uint64());
      case json::kind::double_:
        if (!std::isfinite(value.get_double())) {
          out_ += "null";
          return;
        }
        return Number(value.get_double());
      case json::kind::string: return AppendJsonString(out_, value.get_string());
      case json::kind::array: {
        Open('[');
        for (const auto& item : value.get_array()) {
          Separate();
          Print(item);
        }
        return Close(']');
      }
      case json::kind::object: {
        Open('{');
        for (const auto& [key, item] : value.get_object()) {
          Separate();
          AppendJsonString(out_, key);
          out_ += indent_ ? ": " : ":";
          Print(item);
        }
        return Close('}');
      }
    }
  }

 private:
  void Number(auto number) {
    char digits[400];
    char* end = nullptr;
    if constexpr (std::is_floating_point_v<decltype(number)>) {
      const double size = std::fabs(number);
      const bool plain = size == 0 || (size >= 1e-6 && size < 1e15);
      end = plain ? std::to_chars(digits, digits + sizeof digits, number, std::chars_format::fixed).ptr
                  : std::to_chars(digits, digits + sizeof digits, number).ptr;
    } else {
      end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    }
    out_.append(digits, end);
  }
  void Open(char bracket) {
    out_ += bracket;
    ++depth_;
    empty_ = true;
  }
  void Separate() {
    if (!empty_) out_ += ',';
    empty_ = false;
    Break();
  }
  void Close(char bracket) {
    --depth_;
    if (!empty_) Break();
    out_ += bracket;
    empty_ = false;
  }
  void Break() {
    if (indent_ == 0) return;
    out_ += '\n';
    out_.append(static_cast<std::size_t>(indent_ * depth_), ' ');
  }

  std::string& out_;
  int indent_;
  int depth_ = 0;
  bool empty_ = true;
};

}  // namespace

std::string ToText(const json::value& value, int indent) {
  std::string out;
  Printer(out, indent).Print(value);
  return out;
}

std::string PointerPart(std::string_view key) {
  std::string out;
  for (const char c : key) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}

}  // namespace hookswitch
