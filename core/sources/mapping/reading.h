#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/config/mapping.h"
#include "core/sources/payload.h"
#include "core/sources/source.h"

namespace hookswitch::mapping {

/// A request while one event is read from it: finds what is at the paths of a mapping.
///
/// Absent, null, "" and "null" are nothing, and no path finds them. A text that is JSON is parsed, once, where a path
/// leads on into it; only the first 64 of a request, which is noted. Borrows its arguments.
class Reading {
 public:
  Reading(const RawRequest& raw, const json::value& body, bool is_form, payload::Document& document);
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  const json::value& body() const { return body_; }
  payload::Document& document() { return document_; }
  FieldPaths* notes() const { return raw_.paths; }

  /// Calls `take` with each value at `path`, in order, until it returns true; false if it never does. The steps start
  /// at `base`.
  template <class Take>
  bool Visit(const config::ValuePath& path, const json::value& base, Take&& take) {
    if (path.root != config::ValuePath::Root::kBody) {
      const json::value* value = Named(path);
      return value && take(*value);
    }
    return Walk(base, path.steps, take);
  }
  template <class Take>
  bool Visit(const config::ValuePath& path, Take&& take) {
    return Visit(path, body_, take);
  }
  /// The first value at `path`; nullptr if there is none.
  const json::value* First(const config::ValuePath& path, const json::value& base);
  const json::value* First(const config::ValuePath& path) { return First(path, body_); }

  /// The member of an object that the path's last `*` stood for, during Visit.
  std::string_view star() const { return star_; }
  /// What is inside `value` if it is a text that is a JSON object or list; else `value`.
  const json::value& Opened(const json::value& value);
  /// A value of the document's.
  const json::value* NewText(std::string_view text);

  /// Notes that `path` gave `field`, if that is wanted.
  void Gave(std::string_view field, const config::ValuePath& path) const {
    if (notes()) notes()->Set(field, ToText(path));
  }
  /// Notes that `field` is from where `other` is.
  void GaveToo(std::string_view field, std::string_view other) const {
    if (!notes()) return;
    const std::string path(notes()->Of(other));
    if (!path.empty()) notes()->Set(field, path);
  }

 private:
  using Step = config::ValuePath::Step;

  static bool IsSomething(const json::value& value);
  const json::value* Named(const config::ValuePath& path);

  template <class Take>
  bool Walk(const json::value& start, std::span<const Step> steps, Take& take) {
    // A form's field that was sent several times counts as its values.
    const bool is_field = is_form_ && &start == &body_ && steps.size() == 1;
    const json::value* at = &start;
    for (; !steps.empty(); steps = steps.subspan(1)) {
      at = &Opened(*at);
      const Step& step = steps.front();
      switch (step.kind) {
        case Step::Kind::kMember: {
          const auto* object = at->if_object();
          at = object ? object->if_contains(step.name) : nullptr;
          break;
        }
        case Step::Kind::kIndex: {
          const auto* list = at->if_array();
          at = list ? list->if_contains(step.index) : nullptr;
          break;
        }
        case Step::Kind::kItems: {
          const auto* list = at->if_array();
          if (!list) return false;
          for (const auto& item : *list) {
            if (Walk(item, steps.subspan(1), take)) return true;
          }
          return false;
        }
        case Step::Kind::kMembers: {
          const auto* object = at->if_object();
          if (!object) return false;
          for (const auto& member : *object) {
            star_ = {member.key().data(), member.key().size()};
            if (Walk(member.value(), steps.subspan(1), take)) return true;
          }
          return false;
        }
      }
      if (!at) return false;
    }
    if (!IsSomething(*at)) return false;
    if (is_field && at->is_array()) {
      for (const auto& value : at->get_array()) {
        if (IsSomething(value) && take(value)) return true;
      }
      return false;
    }
    return take(*at);
  }

  const RawRequest& raw_;
  const json::value& body_;
  const bool is_form_;
  payload::Document& document_;
  std::string_view star_;
  /// Texts, and what they are as JSON.
  std::vector<std::pair<const json::value*, const json::value*>> opened_;
};

}  // namespace hookswitch::mapping
