#pragma once
#include <map>
#include <string>
#include <string_view>

#include "hookswitch/sink.hpp"

namespace slack {

/// Whom to mention for which status: `mentions: {failed: [here, U012ABCDEF]}`.
class Mentions {
 public:
  explicit Mentions(const hsw::Config& config);
  /// As mrkdwn, "<!here> <@U012ABCDEF>"; "" for nobody.
  std::string_view For(std::string_view status) const;

 private:
  std::map<std::string, std::string, std::less<>> by_status_;
};

}  // namespace slack
