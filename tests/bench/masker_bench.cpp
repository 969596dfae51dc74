// What masking costs: each request and each answer that an attempt keeps is masked once.
#include <benchmark/benchmark.h>

#include <fstream>
#include <sstream>

#include "core/plugins/masker.h"

namespace hookswitch::plugins {
namespace {

/// A Slack message as the sink sends it, its URL before it.
std::string Request(const std::string& url, std::size_t bytes = 1650) {
  std::string body = R"({"text":"Bolna call ended: completed","blocks":[{"type":"header","text":{"type":"plain_text",)"
                     R"("text":"Bolna call ended: completed"}},{"type":"rich_text","elements":[{"type":)"
                     R"("rich_text_preformatted","elements":[{"type":"text","text":")";
  for (int turn = 0; body.size() < bytes; ++turn) {
    body += turn % 2 == 0 ? "Agent: Hello, this is Maya. Am I speaking with \\\"Sam\\\"?\\n"
                          : "User: Yes, that's right & I have 100% of the papers.\\n";
  }
  body += R"("}]}]}]})";
  return "POST " + url + "\nContent-Type: application/json\n\n" + body;
}

void MaskUrl(benchmark::State& state) {
  const std::string url = "https://hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H/abcdefghijklmnopqrstuvwx";
  const Masker masker(std::vector<std::string>{url});
  const std::string text = Request(url);
  for (auto _ : state) benchmark::DoNotOptimize(masker.Mask(text));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(MaskUrl);

void MaskToken(benchmark::State& state) {
  const Masker masker(std::vector<std::string>{"xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx"});
  const std::string text = Request("https://slack.com/api/chat.postMessage");
  for (auto _ : state) benchmark::DoNotOptimize(masker.Mask(text));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(MaskToken);

/// The 2 KiB that an attempt keeps of a request of 160 kB.
void MaskBeginning(benchmark::State& state) {
  const std::string url = "https://hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H/abcdefghijklmnopqrstuvwx";
  const Masker masker(std::vector<std::string>{url});
  const std::string text = Request(url, 160 << 10);
  for (auto _ : state) benchmark::DoNotOptimize(masker.Mask(text, 2049));
}
BENCHMARK(MaskBeginning);

}  // namespace
}  // namespace hookswitch::plugins

BENCHMARK_MAIN();
