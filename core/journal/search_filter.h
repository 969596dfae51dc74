#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// What a search wants of an event. Every condition must hold; a condition holds if one of its values fits, or with
/// `negated` if none does.
struct SearchFilter {
  /// A name of the event. A value fits if it is not empty and matches one of `globs` or equals one of `labels`.
  struct Names {
    enum class Of : std::uint8_t { kSource, kAgent, kStatus, kDirection } of{};
    std::vector<std::string> globs, labels{};
    bool negated = false;
  };
  struct Calls {
    std::vector<std::string> ids;
    bool negated = false;
  };
  /// A number of the event; an event without it fits no range.
  struct Ranges {
    enum class Of : std::uint8_t { kDuration, kCost } of{};
    struct Range {
      std::optional<double> least, most;
      bool above = false, below = false;  ///< `least`, `most` themselves do not fit
    };
    std::vector<Range> any;
    bool negated = false;
  };
  /// What became of the event. Those without `negated` must all hold for one and the same delivery, a negated one for
  /// none. One of the lists has values.
  struct Deliveries {
    std::vector<std::string> sinks, rules;  ///< globs
    std::vector<DeliveryState> states;
    bool negated = false;
  };
  struct Flags {
    std::uint32_t any = 0;  ///< bits of EventFlag
    bool negated = false;
  };
  /// Consecutive words, as of WordSplitter, in one text or number of the payload.
  struct Phrase {
    std::vector<std::string> words;
    bool is_prefix = false;  ///< the last word need only begin so
  };
  struct Texts {
    std::vector<Phrase> any;
    bool negated = false;
  };
  /// A field that the source reads: "from", "to", "data.PATH".
  struct Fields {
    std::string name;
    struct Value {
      std::string text;
      bool is_prefix = false;  ///< the field need only begin so
    };
    std::vector<Value> any;
    bool negated = false;
  };

  std::vector<Names> names;
  std::vector<Calls> calls;
  std::vector<Ranges> ranges;
  std::vector<Deliveries> deliveries;
  std::vector<Flags> flags;
  std::vector<Texts> texts;
  std::vector<Fields> fields;
  std::optional<WallTime> since{}, until{};  ///< received, inclusive and exclusive
  std::string raw{};                         ///< bytes of the body; "": any
};

/// What an event is besides.
enum EventFlag : std::uint32_t {
  kUnmatched = 1,    ///< a call that no rule matched
  kSkipped = 2,      ///< not a call
  kRevised = 4,      ///< later content has replaced it
  kWasReplayed = 8,  ///< one of its deliveries was
};

/// Whether only the event's body decides: the index finds every event that fits, and others.
bool NeedsBody(const SearchFilter& filter);

/// Whether `name` is one of those that `wanted` names, whatever `negated` says.
bool Fits(const SearchFilter::Names& wanted, const std::string& name);
/// Whether one of the ranges has `number`, whatever `negated` says.
bool Fits(const SearchFilter::Ranges& wanted, const std::optional<double>& number);

}  // namespace hookswitch
