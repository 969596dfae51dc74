#include "core/sources/mapping/sample.h"

#include <memory>
#include <variant>
#include <vector>

#include "core/sources/form.h"
#include "core/sources/mapping/reading.h"
#include "core/sources/source.h"

namespace hookswitch {
namespace {

using config::ValuePath;
using config::ValueRules;
using mapping::Reading;

class SampleReader {
 public:
  SampleReader(Reading& reading, const config::Mapping& map, config::Problems& problems)
      : reading_(reading), map_(map), problems_(problems) {}

  void Read() {
    bases_ = {&reading_.body()};
    if (map_.each) {
      const auto* list = Need(*map_.each, bases_) ? reading_.Opened(*First(*map_.each, bases_)).if_array() : nullptr;
      if (!list) return;
      bases_.clear();
      for (const auto& item : *list) bases_.push_back(&item);
    }
    for (const ValueRules* rules : config::AllRules(map_)) Need(*rules);
    for (const auto& turns : map_.transcript) NeedTurns(turns);
    for (const auto* all : {&map_.data, &map_.meta}) {
      for (const auto& entries : *all) NeedEntries(entries);
    }
    for (const ValuePath& path : map_.dedup) Need(path, bases_);
  }

 private:
  using Bases = std::vector<const json::value*>;

  const json::value* First(const ValuePath& path, const Bases& bases) {
    for (const json::value* base : bases) {
      if (const json::value* found = reading_.First(path, *base)) return found;
    }
    return nullptr;
  }

  bool Need(const ValuePath& path, const Bases& bases) {
    if (path.root == ValuePath::Root::kHeader || path.root == ValuePath::Root::kQuery) return true;
    if (First(path, bases)) return true;
    const std::string text = ToText(path);
    problems_.Warning(path.where, static_cast<int>(text.size()), "the sample has nothing at " + text);
    return false;
  }

  void Need(const ValueRules& rules) {
    for (const auto& rule : rules) {
      for (const ValuePath& path : rule.paths) Need(path, bases_);
      for (const ValuePath& path : rule.currencies) Need(path, bases_);
      Need(rule.from);
      Need(rule.to);
      Need(rule.plus);
    }
  }

  void NeedTurns(const config::TurnsRule& turns) {
    for (const ValuePath& path : turns.paths) {
      if (!Need(path, bases_)) continue;
      const json::value* value = First(path, bases_);
      const Bases items = value ? ItemsOf(*value) : Bases();
      if (items.empty()) continue;
      for (const auto* inner : {&turns.role, &turns.text}) {
        for (const ValuePath& one : *inner) Need(one, items);
      }
    }
  }

  void NeedEntries(const config::EntriesRule& entries) {
    if (!Need(entries.path, bases_) || !entries.value) return;
    const json::value* value = First(entries.path, bases_);
    const Bases items = value ? ItemsOf(*value) : Bases();
    if (items.empty()) return;
    if (entries.key) Need(*entries.key, items);
    Need(*entries.value, items);
  }

  // The items of a list, or the members of an object; of what `[*]` finds the first is an item itself.
  Bases ItemsOf(const json::value& value) {
    const json::value& opened = reading_.Opened(value);
    Bases items;
    if (const auto* list = opened.if_array()) {
      for (const auto& item : *list) items.push_back(&item);
    } else if (const auto* object = opened.if_object()) {
      items.push_back(&opened);
      for (const auto& member : *object) items.push_back(&member.value());
    }
    return items;
  }

  Reading& reading_;
  const config::Mapping& map_;
  config::Problems& problems_;
  Bases bases_;
};

std::string WhyRefused(const config::Source& config, std::string_view body) {
  const auto source = MakeSource(config, std::make_shared<const AgentMap>());
  RawRequest request;
  request.body = body;
  if (const auto bodies = source->Split(request)) {
    if (bodies->empty()) return "it holds no events";
    std::string why;
    for (const std::string& one : *bodies) {
      request.body = one;
      const auto result = source->Normalize(request);
      const auto* refusal = std::get_if<Refusal>(&result);
      if (!refusal) return {};
      why = refusal->error + ": " + refusal->detail;
    }
    return why;
  }
  const auto result = source->Normalize(request);
  const auto* refusal = std::get_if<Refusal>(&result);
  return refusal ? refusal->error + ": " + refusal->detail : std::string();
}

}  // namespace

void CheckSample(const config::Source& source, std::string_view body, config::Problems& problems) {
  const config::Mapping& map = *source.map;
  if (const std::string why = WhyRefused(source, body); !why.empty()) {
    problems.Warning(map.sample_where, 1, "the sample would be refused: " + why);
  }
  payload::Document document;
  const bool is_form = FormKindOf(body, "") != FormKind::kNone;
  const auto parsed = is_form ? ReadForm(body, "", document) : document.Parse(body);
  if (!parsed || (!map.each && !(*parsed)->is_object())) return;
  RawRequest request;
  request.body = body;
  Reading reading(request, **parsed, is_form, document);
  SampleReader(reading, map, problems).Read();
}

}  // namespace hookswitch
