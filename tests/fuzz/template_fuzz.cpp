#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/base/text.h"
#include "core/message/composer.h"

// A template of any bytes either is refused with a problem or renders, without a tag of its own coming out of the
// event.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hookswitch;
  const std::string text(reinterpret_cast<const char*>(data), size);
  config::Config config;
  config.templates.emplace_back();
  config.templates.back().name = "t";
  config.templates.back().title = text;
  config.templates.back().text = text;
  config::Problems problems;
  const auto composer = Composer::Compile(config, problems);
  if (!composer) return problems.HasErrors() ? 0 : (std::abort(), 0);
  CallEvent event;
  event.status = CallStatus::kFailed;
  event.agent_tags = {"{{status}}", "b"};
  event.summary = text;
  event.data["x"] = "{{#tags}}{{.}}{{/tags}}";
  const Message message = composer->Compose(event, "t");
  if (message.title.empty() || CodePoints(message.text) > 40'000) std::abort();
  return 0;
}
