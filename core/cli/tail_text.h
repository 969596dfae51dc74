#pragma once
#include <map>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/cli/paint.h"
#include "core/cli/printing.h"

namespace hookswitch::cli {

/// Messages of GET /api/v1/stream as lines for people. A delivery that was only created is part of its event's line,
/// and of a sink only a change of its state is shown.
class TailText {
 public:
  explicit TailText(Paint paint) : paint_(paint) {}

  /// The line, without its end; "" for what is not shown. `view.now` is when the message came.
  std::string Line(const View& view, std::string_view kind, const json::object& message);

 private:
  std::string Event(const View& view, const json::object& event) const;
  std::string Delivery(const View& view, const json::object& delivery) const;
  std::string Refused(const View& view, const json::object& refused) const;
  std::string Sink(const View& view, const json::object& sink);
  std::string Reload(const View& view, const json::object& reload) const;
  std::string Gap(const View& view, const json::object& gap) const;

  Paint paint_;
  std::map<std::string, std::string> sinks_;  ///< the state of each, as it was shown
};

}  // namespace hookswitch::cli
