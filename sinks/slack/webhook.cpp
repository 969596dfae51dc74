#include "webhook.h"

#include "layout.h"

namespace slack {

Webhook::Webhook(const hsw::Config& config)
    : url_(config.String("webhook_url")),
      kind_(KindOf(url_)),
      server_(kind_ == Kind::kWorkflow        ? Server::kWorkflow
              : config.Bool("allow_any_host") ? Server::kCompatible
                                              : Server::kMessage),
      max_transcript_(static_cast<std::size_t>(config.Int("max_transcript", 2800))),
      mentions_(config) {}

std::string Webhook::ProblemWith(const hsw::Config& config) {
  return slack::ProblemWith(config.String("webhook_url"), config.Bool("allow_any_host"));
}

void Webhook::Render(const hsw::Delivery& delivery, hsw::Request& request) const {
  request.Url(url_);
  request.Header("Content-Type", "application/json; charset=utf-8");
  const auto mention = mentions_.For(hsw::View(delivery.Event().status));
  if (kind_ == Kind::kWorkflow) {
    request.Body(WorkflowBody(delivery, max_transcript_));
  } else if (IsPlain(delivery)) {
    request.Body(PlainBody(delivery.Message(), max_transcript_, mention));
  } else {
    request.Body(BlocksBody(delivery.Message(), max_transcript_, mention));
  }
}

hsw::Outcome Webhook::Interpret(const hsw::Delivery& delivery, const hsw::Response& response) const {
  return Classify(server_, IsPlain(delivery), response);
}

}  // namespace slack
