#include "core/plugins/inspect_child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <string>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/plugins/instance.h"
#include "core/plugins/plugin.h"

namespace hookswitch {
namespace plugins {
namespace {

/// Writes the response line by line, so that the parent sees how far a crashed child came.
class Answer {
 public:
  /// Redirects stdout to stderr, so that a plugin's output does not mix with the response.
  Answer() : fd_(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, kFirstUnusedInChild)) { ::dup2(STDERR_FILENO, STDOUT_FILENO); }

  void Line(const json::object& object) const {
    const std::string text = ToText(object) + "\n";
    for (std::string_view rest = text; !rest.empty();) {
      const ssize_t n = ::write(fd_, rest.data(), rest.size());
      if (n <= 0) return;
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
  }

 private:
  const int fd_;
};

std::string ReadRequest() {
  std::string text;
  std::array<char, 4096> chunk;
  for (ssize_t n = 0; (n = ::read(STDIN_FILENO, chunk.data(), chunk.size())) > 0;) {
    text.append(chunk.data(), static_cast<std::size_t>(n));
  }
  return text;
}

json::object Described(const PluginInfo& info) {
  return {{"ok", true},
          {"id", ToUtf8(info.id)},
          {"version", ToUtf8(info.version)},
          {"summary", ToUtf8(info.summary)},
          {"config_schema", info.config_schema},
          {"abi_major", info.abi_major},
          {"abi_minor", info.abi_minor},
          {"kind", info.kind == Sink::Kind::kHttp ? "http" : "call"}};
}

struct Reports {
  const Answer& answer;
  bool any = false;
};

void Report(void* context, hsw_str pointer, hsw_str problem) {
  auto& reports = *static_cast<Reports*>(context);
  reports.any = true;
  const auto text = [](hsw_str str) { return ToUtf8(std::string_view(str.data, str.data ? str.size : 0)); };
  reports.answer.Line({{"pointer", text(pointer)}, {"problem", text(problem)}});
}

/// Calls the plugin's functions in order, announcing each before the call.
void Try(const hsw_sink& sink, const json::object& request, const Answer& answer) {
  const auto text = [&](const char* key) { return std::string(request.at(key).as_string()); };
  const PluginConfig config(text("sink"), text("config"), text("timezone"));
  const char* at = "check";
  const auto enter = [&](const char* function) { answer.Line({{"at", at = function}}); };
  try {
    Reports reports{answer};
    if (sink.check) {
      enter("check");
      sink.check(config.get(), Report, &reports);
    }
    if (!reports.any && request.at("create").as_bool()) {
      enter("create");
      std::array<char, kCreateErrorSize> error{};
      hsw_instance* instance =
          sink.create(&MakeHost(config.sink(), Masker({})).raw, config.get(), error.data(), error.size());
      if (!instance) {
        error.back() = '\0';
        answer.Line({{"refused", ToUtf8(error.data())}});
      } else {
        hsw_advice advice{};
        advice.size = sizeof advice;
        if (sink.advise) {
          enter("advise");
          sink.advise(instance, &advice);
        }
        enter("destroy");
        sink.destroy(instance);
      }
    }
    answer.Line({{"done", true}});
  } catch (...) {
    answer.Line({{"threw", at}});
  }
}

}  // namespace
}  // namespace plugins

void InspectChildMain(const std::string& file) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const plugins::Answer answer;
  const std::string request = plugins::ReadRequest();
  const auto sink = plugins::OpenLibrary("/proc/self/fd/" + std::to_string(plugins::kLibraryInChild), file);
  if (!sink) {
    answer.Line({{"ok", false},
                 {"code", sink.error().code == ErrorCode::kUnsupported ? "unsupported" : "invalid"},
                 {"message", ToUtf8(sink.error().message)}});
  } else {
    answer.Line(plugins::Described(plugins::Describe(*sink, file)));
    if (!request.empty()) plugins::Try(*sink, json::parse(request).as_object(), answer);
  }
  // Skip the plugin's destructors: they must not spoil the response.
  ::_exit(sink ? 0 : 1);
}

}  // namespace hookswitch
