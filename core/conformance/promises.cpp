#include "core/conformance/promises.h"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <thread>

#include "core/base/check.h"
#include "core/base/json.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/conformance/child.h"
#include "core/conformance/samples.h"
#include "core/http/request_check.h"
#include "core/plugins/plugin_config.h"
#include "core/plugins/plugin_sink.h"
#include "hookswitch/text.hpp"

namespace hookswitch::conformance {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPatience = std::chrono::seconds(60);
constexpr milliseconds kCheckTimeout = std::chrono::seconds(2);
constexpr milliseconds kCallGrace{500};
constexpr milliseconds kSlowest = std::chrono::seconds(1);  // the host gives up at 5 s

/// Why a check fails; "" if it does not.
using Problem = std::string;

Result<std::shared_ptr<Sink>> Make(const Subject& subject, const std::string& config) {
  return plugins::MakePluginSink(subject.plugin,
                                 std::make_shared<const plugins::PluginConfig>("check", config, "Europe/Berlin"),
                                 plugins::Masker(subject.secrets));
}

/// The instance, or why there is none.
struct Instance {
  explicit Instance(const Subject& subject) {
    auto made = Make(subject, subject.config);
    if (made) {
      sink = *made;
    } else {
      problem = made.error().message;
    }
  }
  std::shared_ptr<Sink> sink;
  Problem problem;
};

std::string Shown(const HttpRequest& request) {
  std::string text = request.method + " " + request.url + "\n";
  for (const auto& [name, value] : request.headers) text.append(name).append(": ").append(value).append("\n");
  return text + "\n" + request.body;
}

std::string Shown(const std::variant<HttpRequest, Outcome>& rendered) {
  if (const auto* request = std::get_if<HttpRequest>(&rendered)) return Shown(*request);
  const Outcome& outcome = std::get<Outcome>(rendered);
  return "no request: " + outcome.code + ": " + outcome.reason;
}

/// What is wrong with an outcome; "" if nothing.
Problem ProblemWith(const Outcome& outcome, const std::string& of) {
  if (outcome.code == "no_outcome") return "no outcome is left " + of;
  if (outcome.code == "plugin_exception") return "an exception comes out " + of;
  if (outcome.code == "plugin_fault") return outcome.reason + ", " + of;
  if (outcome.kind == Outcome::Kind::kDelivered || outcome.kind == Outcome::Kind::kNext) return "";
  if (outcome.code.empty()) return "an outcome without a code is left " + of;
  if (outcome.reason.empty()) return "an outcome without a reason is left " + of;
  if (outcome.kind == Outcome::Kind::kMisconfigured && outcome.action.empty()) {
    return "a misconfigured outcome does not say what to do, " + of;
  }
  return "";
}

/// Also rejects exceptions: a pure function throws again on every retry.
Problem ProblemWithPure(const Outcome& outcome, const std::string& of) {
  if (outcome.code == "exception") return "it throws: " + outcome.reason + ", " + of;
  return ProblemWith(outcome, of);
}

/// What would keep a request from being sent as it is; "" if nothing.
Problem ProblemWith(const HttpRequest& request) {
  if (const auto problem = CheckRequest(request)) return problem->detail;
  for (const auto& [name, value] : request.headers) {
    if (auto why = hsw::ProblemWithHeader(name); !why.empty()) return "the header " + name + ' ' + std::string(why);
  }
  return "";
}

bool IsJson(const HttpRequest& request) {
  return std::any_of(request.headers.begin(), request.headers.end(), [](const auto& header) {
    return EqualsIgnoreCase(header.first, "Content-Type") && header.second.find("json") != std::string::npos;
  });
}

std::size_t CountIn(const char* folder) {
  std::error_code error;
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(folder, error), std::filesystem::directory_iterator()));
}

/// Resources of this process. With the allocator of a sanitizer `memory` is always 0.
struct Held {
  std::size_t memory = AllocatedBytes(), files = CountIn("/proc/self/fd"), threads = CountIn("/proc/self/task");
};

/// A joined thread, and its files, are listed for a moment longer: waits for them to go, at most 2 s.
Held HeldAfter(const Held& before) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  Held now;
  while ((now.files > before.files || now.threads > before.threads) && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    now = Held();
  }
  return now;
}

Problem ProblemWith(const Held& before, const Held& after, std::size_t memory, const std::string& by) {
  if (after.files > before.files) return std::to_string(after.files - before.files) + " files stay open after " + by;
  if (after.threads > before.threads) {
    return std::to_string(after.threads - before.threads) + " threads stay after " + by;
  }
  if (after.memory > before.memory + memory) {
    return std::to_string(after.memory - before.memory) + " bytes of memory stay after " + by;
  }
  return "";
}

// Checks of every sink.

Problem TakesBadConfigs(const Subject& subject, std::string&) {
  boost::system::error_code ignored;
  const auto good = json::parse(subject.config, ignored, {}, DeepEnoughForConfigs());
  std::vector<json::value> configs{json::object{}, json::object{{"no_such_key", 1}}};
  if (const auto* object = good.if_object()) {
    for (const auto& [key, value] : *object) {
      for (const json::value& wrong : {json::value(nullptr), json::value(-1), json::value(""), json::value(true),
                                       json::value(json::array{1, "a", nullptr}), json::value(json::object{{"a", "b"}}),
                                       json::value(std::string(100'000, 'x')), json::value("\x01\n\"<>&")}) {
        json::object config = *object;
        config[key] = wrong;
        configs.emplace_back(std::move(config));
      }
    }
  }
  const auto report = [](void*, hsw_str, hsw_str) {};
  for (const auto& config : configs) {
    const std::string text = ToText(config);
    const plugins::PluginConfig given("check", text, "UTC");
    if (subject.plugin->sink.check) subject.plugin->sink.check(given.get(), report, nullptr);
    if (const auto made = Make(subject, text); !made && made.error().message.find("threw") != std::string::npos) {
      return "an exception comes out of create with the config " + text.substr(0, 200);
    }
  }
  return "";
}

Problem ComesAndGoes(const Subject& subject, std::string& measured) {
  constexpr int kTimes = 1000;
  // Bypasses the host's own wrapper, which keeps something of each instance forever.
  hsw_host host{};
  host.size = sizeof host;
  host.abi_major = HSW_ABI_MAJOR;
  host.abi_minor = HSW_ABI_MINOR;
  host.log = [](void*, std::uint32_t, hsw_str) {};
  host.service = [](void*, const char*) -> const void* { return nullptr; };
  const plugins::PluginConfig config("check", subject.config, "Europe/Berlin");
  const auto run = [&](int times) {
    std::array<char, 1024> error{};
    for (int i = 0; i < times; ++i) {
      auto* const one = subject.plugin->sink.create(&host, config.get(), error.data(), error.size());
      if (!one) return Problem("it is refused the ") + std::to_string(i) + "th time: " + error.data();
      subject.plugin->sink.destroy(one);
    }
    return Problem();
  };
  if (auto problem = run(50); !problem.empty()) return problem;
  const Held before;
  if (auto problem = run(kTimes); !problem.empty()) return problem;
  const Held after = HeldAfter(before);
  const auto grown = after.memory > before.memory ? (after.memory - before.memory) / kTimes : 0;
  measured = std::to_string(grown) + " bytes each";
  return ProblemWith(before, after, 16 * kTimes, std::to_string(kTimes) + " instances came and went");
}

// Checks of HTTP sinks.

Problem RendersTheSame(const Subject& subject, std::string&) {
  const Instance one(subject), two(subject);
  if (!one.sink || !two.sink) return one.problem + two.problem;
  for (const Sample& sample : Samples()) {
    const auto first = Shown(one.sink->Render(sample.Delivery()));
    std::this_thread::sleep_for(milliseconds(2));  // for a sink that uses the clock
    if (first != Shown(one.sink->Render(sample.Delivery()))) return "the second request differs, of " + sample.name;
    if (first != Shown(two.sink->Render(sample.Delivery()))) {
      return "another instance with the same config renders another request, of " + sample.name;
    }
  }
  return "";
}

Problem RendersAnything(const Subject& subject, std::string& measured) {
  const Instance one(subject);
  if (!one.sink) return one.problem;
  milliseconds slowest{0};
  int requests = 0;
  Problem why_none;
  for (const Sample& sample : Samples()) {
    const std::string of = "of " + sample.name;
    const auto start = steady_clock::now();
    const auto rendered = one.sink->Render(sample.Delivery());
    const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - start);
    slowest = std::max(slowest, took);
    if (took > kSlowest) return "render takes " + FormatDuration(took) + " " + of;
    if (const auto* outcome = std::get_if<Outcome>(&rendered)) {
      if (auto problem = ProblemWithPure(*outcome, of); !problem.empty()) return problem;
      if (why_none.empty())
        why_none = std::string(ToString(outcome->kind)) + ", " + outcome->code + ": " + outcome->reason;
      continue;
    }
    const auto& request = std::get<HttpRequest>(rendered);
    ++requests;
    if (auto problem = ProblemWith(request); !problem.empty()) return "it cannot be sent: " + problem + ", " + of;
    if (!IsJson(request)) continue;
    boost::system::error_code failed;
    json::parse(request.body, failed, {}, DeepEnoughForConfigs());
    if (failed) return "the body says that it is JSON and is not, " + of + ": " + failed.message();
    if (!IsUtf8(request.body)) return "the body is not UTF-8, " + of;
  }
  if (requests == 0) return "no message becomes a request; the first one ends " + why_none;
  (void)one.sink->Render(InvalidSample().Delivery());
  measured = "at most " + std::to_string(slowest.count()) + " ms";
  return "";
}

std::vector<HttpResponse> Answers() {
  const std::array<std::string, 10> bodies = {"",
                                              "ok",
                                              "{}",
                                              R"({"ok":true,"id":"1"})",
                                              R"({"ok":false,"error":"nope","message":{"a":[1]}})",
                                              R"([1,2,{"error":null}])",
                                              "<html>login</html>",
                                              "\xFF\x00\xFE",
                                              std::string(HSW_MOST_ANSWER, '{'),
                                              '"' + std::string(HSW_MOST_ANSWER, 'x') + '"'};  // is cut
  std::vector<HttpResponse> answers;
  for (const std::string& body : bodies) {
    for (int status : {200, 201, 202, 204, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405,
                       408, 409, 410, 413, 422, 425, 429, 451, 500, 501, 502, 503, 504, 599}) {
      answers.push_back({status, {{"Content-Type", "text/plain"}, {"X-Odd", body.substr(0, 100)}}, body});
    }
  }
  return answers;
}

Problem InterpretsAnything(const Subject& subject, std::string&) {
  const Instance one(subject);
  if (!one.sink) return one.problem;
  for (const Sample& sample : {OrdinarySample(), EmptySample()}) {
    for (const HttpResponse& answer : Answers()) {
      const std::string of =
          "of HTTP " + std::to_string(answer.status) + " with \"" + ToUtf8(answer.body.substr(0, 60)) + "\"";
      const auto outcome = one.sink->Interpret(sample.Delivery(), answer, {});
      if (auto problem = ProblemWithPure(outcome, of); !problem.empty()) return problem;
      if (answer.status == 429 && outcome.kind != Outcome::Kind::kRetry) return "a 429 is not tried again, " + of;
      const bool down = answer.status == 502 || answer.status == 503 || answer.status == 504;
      if (down && outcome.kind != Outcome::Kind::kRetry) return "a server that is down is not tried again, " + of;
      const bool redirects = answer.status / 100 == 3;
      if (redirects && outcome.kind == Outcome::Kind::kDelivered) return "a redirect is a success, " + of;
    }
  }
  return "";
}

Problem EndsItsSteps(const Subject& subject, std::string& measured) {
  const Instance one(subject);
  if (!one.sink) return one.problem;
  std::uint32_t most = 0;
  for (Sample sample : Samples()) {
    for (std::uint32_t step = 0;; ++step) {
      const std::string of = "of " + sample.name + " in step " + std::to_string(step);
      const auto rendered = one.sink->Render(sample.Delivery(step));
      if (const auto* outcome = std::get_if<Outcome>(&rendered)) {
        if (auto problem = ProblemWithPure(*outcome, of); !problem.empty()) return problem;
        break;
      }
      const HttpResponse ok{200, {}, R"({"ok":true,"id":"1","ts":"1.1","channel":"C1","result":{"message_id":1}})"};
      const auto outcome = one.sink->Interpret(sample.Delivery(step), ok, {});
      if (auto problem = ProblemWithPure(outcome, of); !problem.empty()) return problem;
      most = std::max(most, step + 1);
      if (outcome.kind != Outcome::Kind::kNext) break;
      if (step + 1 == kMostSteps) return "there are more than " + std::to_string(kMostSteps) + " steps, " + of;
      sample.state = outcome.state;
      if (outcome.has_memory) sample.memory = outcome.memory;
    }
  }
  measured = "at most " + std::to_string(most);
  return "";
}

Problem TakesForeignState(const Subject& subject, std::string&) {
  const Instance one(subject);
  if (!one.sink) return one.problem;
  for (const char* text : {"x", "\t\n", "{\"a\":", "9\t9\t9\t9\t9\t9\t9", "-1", "\xF0\x9F"}) {
    Sample sample = OrdinarySample();
    sample.memory = sample.state = text;
    const std::string of = std::string("of a state and memory \"") + ToUtf8(text) + "\"";
    for (const std::uint32_t step : {0U, 1U}) {
      const auto rendered = one.sink->Render(sample.Delivery(step));
      if (const auto* outcome = std::get_if<Outcome>(&rendered)) {
        if (auto problem = ProblemWithPure(*outcome, of); !problem.empty()) return problem;
      }
      const auto outcome = one.sink->Interpret(sample.Delivery(step), {200, {}, "ok"}, {});
      if (auto problem = ProblemWithPure(outcome, of); !problem.empty()) return problem;
    }
  }
  return "";
}

Problem RunsBesideItself(const Subject& subject, std::string&) {
  constexpr int kThreads = 4, kTimes = 300;
  const Instance one(subject);
  if (!one.sink) return one.problem;
  const auto samples = std::array{OrdinarySample(), EmptySample(), FilledSample("markup", "<b>*_&", 5000)};
  std::vector<std::string> alone;
  for (const Sample& sample : samples) alone.push_back(Shown(one.sink->Render(sample.Delivery())));
  std::array<bool, kThreads> differs{};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kTimes; ++i) {
        const auto at = static_cast<std::size_t>(i + t) % samples.size();
        if (Shown(one.sink->Render(samples[at].Delivery())) != alone[at]) differs[static_cast<std::size_t>(t)] = true;
        (void)one.sink->Interpret(samples[at].Delivery(), {200, {}, "ok"}, {});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const bool any = std::any_of(differs.begin(), differs.end(), [](bool d) { return d; });
  return any ? "a request differs when several are rendered at once" : "";
}

Problem KeepsNothingPerCall(const Subject& subject, std::string& measured) {
  constexpr int kTimes = 2000;
  const Instance one(subject);
  if (!one.sink) return one.problem;
  const Sample sample = OrdinarySample();
  const HttpResponse answer{503, {{"Retry-After", "5"}}, "down"};
  const auto run = [&] {
    (void)one.sink->Render(sample.Delivery());
    (void)one.sink->Interpret(sample.Delivery(), answer, {});
  };
  for (int i = 0; i < 200; ++i) run();
  const Held before;
  const auto start = steady_clock::now();
  for (int i = 0; i < kTimes; ++i) run();
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - start);
  const Held after = HeldAfter(before);
  measured = std::to_string(took.count() / kTimes) + " us a call";
  return ProblemWith(before, after, 16 * kTimes, std::to_string(kTimes) + " calls");
}

// Checks of call sinks.

Problem Call(Sink& sink, const Sample& sample, bool canceled, milliseconds& took) {
  const auto start = steady_clock::now();
  const auto outcome = sink.Deliver(sample.Delivery(), kCheckTimeout, [canceled] { return canceled; });
  took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - start);
  if (took > kCheckTimeout + kCallGrace) {
    return "it returns after " + FormatDuration(took) + " where it has " + FormatDuration(kCheckTimeout) + ", with " +
           sample.name;
  }
  return ProblemWith(outcome, "of " + sample.name);
}

Problem DeliversAnythingInTime(const Subject& subject, std::string& measured) {
  const Instance one(subject);
  if (!one.sink) return one.problem;
  milliseconds slowest{0}, took{0};
  for (const Sample& sample : Samples()) {
    if (auto problem = Call(*one.sink, sample, false, took); !problem.empty()) return problem;
    slowest = std::max(slowest, took);
  }
  (void)Call(*one.sink, InvalidSample(), false, took);
  measured = "at most " + std::to_string(slowest.count()) + " ms";
  return "";
}

Problem ListensToCancel(const Subject& subject, std::string&) {
  const Instance one(subject);
  if (!one.sink) return one.problem;
  milliseconds took{0};
  if (auto problem = Call(*one.sink, OrdinarySample(), true, took); !problem.empty()) return problem;
  return took <= kCallGrace ? "" : "it goes on for " + FormatDuration(took) + " when nobody waits any more";
}

Problem KeepsNothingPerDelivery(const Subject& subject, std::string&) {
  const Instance one(subject);
  if (!one.sink) return one.problem;
  const Sample sample = OrdinarySample();
  milliseconds took{0};
  const auto run = [&](int times) {
    for (int i = 0; i < times; ++i) {
      if (auto problem = Call(*one.sink, sample, false, took); !problem.empty()) return problem;
    }
    return Problem();
  };
  if (auto problem = run(3); !problem.empty()) return problem;
  const Held before;
  if (auto problem = run(10); !problem.empty()) return problem;
  return ProblemWith(before, HeldAfter(before), 64 * 1024, "10 deliveries");
}

struct Promise {
  const char* text;
  Problem (*check)(const Subject&, std::string& measured);
  enum class For { kAll, kHttp, kConcurrentHttp, kCall } whom;
};

constexpr std::array kPromises = {
    Promise{"bad configs harm nothing", TakesBadConfigs, Promise::For::kAll},
    Promise{"instances come and go without a trace", ComesAndGoes, Promise::For::kAll},
    Promise{"render is pure: the same for the same", RendersTheSame, Promise::For::kHttp},
    Promise{"any message becomes a request or a reason", RendersAnything, Promise::For::kHttp},
    Promise{"any answer has a meaning", InterpretsAnything, Promise::For::kHttp},
    Promise{"steps end", EndsItsSteps, Promise::For::kHttp},
    Promise{"a foreign state or memory harms nothing", TakesForeignState, Promise::For::kHttp},
    Promise{"calls at the same time do not disturb each other", RunsBesideItself, Promise::For::kConcurrentHttp},
    Promise{"a call leaves nothing behind", KeepsNothingPerCall, Promise::For::kHttp},
    Promise{"any message is delivered or refused, in time", DeliversAnythingInTime, Promise::For::kCall},
    Promise{"a delivery that is canceled ends", ListensToCancel, Promise::For::kCall},
    Promise{"a delivery leaves nothing behind", KeepsNothingPerDelivery, Promise::For::kCall},
};

bool Applies(Promise::For whom, const hsw_sink& sink) {
  const bool http = sink.kind == HSW_KIND_HTTP, concurrent = (sink.flags & HSW_SINK_CONCURRENT) != 0;
  switch (whom) {
    case Promise::For::kAll: return true;
    case Promise::For::kHttp: return http;
    case Promise::For::kConcurrentHttp: return http && concurrent;
    case Promise::For::kCall: return !http;
  }
  return false;
}

}  // namespace

bool CheckPromises(const Subject& subject, const std::function<void(const Verdict&)>& report) {
  bool all = true;
  const auto check = [&](const char* text, Problem (*run)(const Subject&, std::string&)) {
    // The child returns + if the check passes, else -, and the detail.
    const auto said = InChild(
        [&] {
          std::string measured;
          const Problem problem = run(subject, measured);
          return problem.empty() ? "+" + measured : "-" + problem;
        },
        kPatience);
    Verdict verdict{text, said && said->starts_with('+'),
                    said ? said->substr(std::min<std::size_t>(1, said->size())) : said.error().message};
    all = all && verdict.kept;
    report(verdict);
    return verdict.kept;
  };
  const bool is_made = check("the config is taken", [](const Subject& s, std::string&) { return Instance(s).problem; });
  if (!is_made) return false;
  for (const Promise& promise : kPromises) {
    if (Applies(promise.whom, subject.plugin->sink)) check(promise.text, promise.check);
  }
  return all;
}

}  // namespace hookswitch::conformance
