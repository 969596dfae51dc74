#include "core/conformance/difference.h"

#include <algorithm>

#include "core/base/json.h"
#include "core/base/text.h"

namespace hookswitch::conformance {
namespace {

// Long texts are shown from where they begin to differ.
constexpr std::size_t kBefore = 20, kShown = 200;

std::string Shown(const json::value* value, const json::value* other) {
  if (!value) return "nothing";
  const auto* text = value->if_string();
  const auto* against = other ? other->if_string() : nullptr;
  if (!text || text->size() <= kShown) return ToText(*value).substr(0, kShown * 10);
  std::size_t from = 0;
  if (against) {
    const auto differs = std::mismatch(text->begin(), text->end(), against->begin(), against->end());
    from = static_cast<std::size_t>(differs.first - text->begin());
    from = from > kBefore ? from - kBefore : 0;
    while (from > 0 && (static_cast<unsigned char>((*text)[from]) & 0xC0) == 0x80) --from;
  }
  const std::string_view rest = std::string_view(*text).substr(from);
  const std::string_view part = CutCodePoints(rest, kShown);
  return (from > 0 ? "…" : "") + ToText(json::value(part)) + (part.size() < rest.size() ? "…" : "");
}

bool SameNumber(const json::value& a, const json::value& b) {
  return a.is_number() && b.is_number() && a.to_number<double>() == b.to_number<double>();
}

class Comparison {
 public:
  explicit Comparison(std::size_t most) : most_(most) {}

  void Compare(const json::value* wanted, const json::value* got, const std::string& at) {
    if (found.size() == most_) return;
    if (wanted && got) {
      if (*wanted == *got || SameNumber(*wanted, *got)) return;
      if (wanted->is_object() && got->is_object()) return Objects(wanted->get_object(), got->get_object(), at);
      if (wanted->is_array() && got->is_array()) return Lists(wanted->get_array(), got->get_array(), at);
    }
    found.push_back({at, Shown(wanted, got), Shown(got, wanted)});
  }

  std::vector<Difference> found;

 private:
  void Objects(const json::object& wanted, const json::object& got, const std::string& at) {
    for (const auto& [key, value] : wanted) Compare(&value, got.if_contains(key), at + "/" + PointerPart(key));
    for (const auto& [key, value] : got) {
      if (!wanted.contains(key)) Compare(nullptr, &value, at + "/" + PointerPart(key));
    }
  }
  void Lists(const json::array& wanted, const json::array& got, const std::string& at) {
    for (std::size_t i = 0; i < std::max(wanted.size(), got.size()); ++i) {
      Compare(i < wanted.size() ? &wanted[i] : nullptr, i < got.size() ? &got[i] : nullptr,
              at + "/" + std::to_string(i));
    }
  }

  const std::size_t most_;
};

}  // namespace

std::vector<Difference> Differences(const json::value& wanted, const json::value& got, std::size_t most) {
  Comparison comparison(most);
  comparison.Compare(&wanted, &got, "");
  return std::move(comparison.found);
}

}  // namespace hookswitch::conformance
