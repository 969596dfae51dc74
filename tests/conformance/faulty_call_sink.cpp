// The same as a call sink.
#include <poll.h>

#include <string>
#include <thread>

#include "hookswitch/sink.hpp"

namespace {

class Sink {
 public:
  Sink(const hsw::Config& config, hsw::Host) : fault_(config.String("fault")) {}

  hsw::Outcome Deliver(const hsw::Call& call, const hsw::Delivery&) {
    const auto wait_for = [](std::int64_t ms) { ::poll(nullptr, 0, static_cast<int>(ms)); };
    if (fault_ == "is late") wait_for(call.TimeoutMs() + 1500);
    if (fault_ == "does not listen" && call.Canceled()) wait_for(1500);
    if (fault_ == "has no reason") return hsw::Outcome::Rejected("refused", "");
    if (fault_ == "leaves threads") std::thread([wait_for] { wait_for(20'000); }).detach();
    return hsw::Outcome::Delivered();
  }

 private:
  std::string fault_;
};

}  // namespace

HSW_CALL_SINK(Sink, "faulty_call", "1.0.0", "breaks a promise", R"({"type": "object"})")
