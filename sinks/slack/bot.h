#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "hookswitch/sink.hpp"
#include "mentions.h"

namespace slack {

/// Posts as an app with a bot token (docs.slack.dev/reference/methods/chat.postMessage): to the channel for the rule or
/// agent, with one thread per call, whose first message is updated and followed by the whole transcript. Each request
/// is one step of the delivery.
class Bot {
 public:
  explicit Bot(const hsw::Config& config);
  /// Why api_url is invalid, or "".
  static std::string ProblemWithApi(const hsw::Config& config);

  void Render(const hsw::Delivery& delivery, hsw::Request& request) const;
  hsw::Outcome Interpret(const hsw::Delivery& delivery, const hsw::Response& response) const;
  bool updates() const { return update_; }

 private:
  enum class LongTranscript { kCut, kThread, kFile };
  struct Choice {
    std::string rule, agent, channel;
  };
  struct Step;

  std::string_view ChannelFor(const hsw::Delivery& delivery) const;
  bool IsUploadUrl(std::string_view url) const;
  Step StepOf(const hsw::Delivery& delivery) const;
  hsw::Outcome Succeeded(Step step, const hsw::Delivery& delivery, const hsw::Response& response) const;
  hsw::Outcome Failed(Step step, const hsw::Response& response) const;
  hsw::Outcome AfterMessage(Step step, const hsw::Delivery& delivery) const;
  hsw::Outcome Finished(const Step& step, const hsw::Delivery& delivery) const;
  bool SendsAllOfTranscript(const hsw::Delivery& delivery) const;

  hsw::Tools tools_;
  std::string api_, authorization_, channel_;
  std::vector<Choice> channels_;
  bool thread_, update_, any_host_;
  LongTranscript long_transcript_;
  std::size_t max_transcript_;
  Mentions mentions_;
};

}  // namespace slack
