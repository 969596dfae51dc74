#pragma once
#include <string>

#include "answers.h"
#include "hookswitch/sink.hpp"
#include "mentions.h"
#include "webhook_url.h"

namespace slack {

/// Posts messages to Slack's webhooks: incoming webhooks (GovSlack too), Workflow Builder's, and servers that speak the
/// same. The webhook's URL is its only credential. channel, username and icon are not settings: Slack answers 404 to an
/// app's webhook that names a channel.
class Webhook {
 public:
  explicit Webhook(const hsw::Config& config);
  /// What is wrong with webhook_url, or "".
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
