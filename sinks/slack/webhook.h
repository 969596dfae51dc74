#pragma once
#include <string>

#include "answers.h"
#include "hookswitch/sink.hpp"
#include "mentions.h"
#include "webhook_url.h"

namespace slack {

/// Posts messages to Slack's webhooks: incoming webhooks (GovSlack too), Workflow Builder's, and Slack-compatible
/// servers. The webhook's URL is its only credential. channel, username and icon cannot be set: Slack responds 404 if
/// an app's webhook names a channel.
class Webhook {
 public:
  explicit Webhook(const hsw::Config& config);
  /// Why webhook_url is invalid, or "".
  static std::string ProblemWith(const hsw::Config& config);

  void Render(const hsw::Delivery& delivery, hsw::Request& request) const;
  hsw::Outcome Interpret(const hsw::Delivery& delivery, const hsw::Response& response) const;

 private:
  static bool IsPlain(const hsw::Delivery& delivery) { return delivery.State() == kPlain; }

  std::string url_;
  Kind kind_;
  Server server_;
  std::size_t max_transcript_;
  Mentions mentions_;
};

}  // namespace slack
