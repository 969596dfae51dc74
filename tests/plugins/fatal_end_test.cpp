#include "core/plugins/fatal_end.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <thread>

#include "core/base/json.h"

namespace hookswitch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct FatalEnd : testing::Test {
  ~FatalEnd() override { std::filesystem::remove(path); }

  struct Ended {
    std::string said;
    int exit_code = -1, signal = 0;
    std::vector<DeliverySeq> crashed, killed;

    json::object Line() const {
      boost::system::error_code error;
      auto line = json::parse(said, error);
      EXPECT_FALSE(error) << said;
      return error ? json::object() : line.as_object();
    }
    std::string Value(const char* key) const {
      const json::object line = Line();
      const auto* value = line.if_contains(key);
      return value ? value->is_string() ? std::string(value->get_string()) : ToText(*value) : "";
    }
  };
  /// What comes of a process that is watched and does this.
  Ended EndOf(const std::function<void(CrashMarks*)>& what) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(ends[1], STDERR_FILENO);
      ::close(ends[0]);
      ::close(ends[1]);
      fatal_end::Watch();
      const std::shared_ptr<CrashMarks> marks = std::move(*CrashMarks::Open(path));
      fatal_end::UseMarks(marks);
      what(marks.get());
      fatal_end::EndProcess(77);
    }
    ::close(ends[1]);
    Ended ended;
    char chunk[4096];
    for (ssize_t n = 0; (n = ::read(ends[0], chunk, sizeof chunk)) > 0;)
      ended.said.append(chunk, static_cast<std::size_t>(n));
    ::close(ends[0]);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
    if (auto marks = CrashMarks::Open(path)) {
      for (const auto& left : (*marks)->TakeLeft()) {
        (left.crashed ? ended.crashed : ended.killed).push_back(left.delivery);
      }
    }
    return ended;
  }
  /// Inside the plugin "pager" for the delivery d-7.
  static std::function<void(CrashMarks*)> Inside(const std::function<void()>& what) {
    return [what](CrashMarks* marks) {
      const CrashMarks::Inside inside(
          marks,
          {.call = PluginCall::kRender, .delivery = 7, .plugin = "pager", .sink = "on \"call\"", .delivery_id = "d-7"});
      what();
    };
  }
  const std::string path = testing::TempDir() + "hsw_fatal_" + std::to_string(::getpid());
};

TEST_F(FatalEnd, AnEndOfOurOwnIsNoBodysFaultAndSaysNothing) {
  const Ended ended = EndOf(Inside([] { fatal_end::EndProcess(0); }));
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.said, "");
  EXPECT_THAT(ended.crashed, IsEmpty());
}

struct Exit {
  const char* name;
  void (*exit)();
};
class Exits : public FatalEnd, public testing::WithParamInterface<Exit> {};

TEST_P(Exits, OfAPluginNameItAndAreFailures) {
  const Ended ended = EndOf(Inside([] { GetParam().exit(); }));
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_EQ(ended.Value("event"), "plugin_exited");
  EXPECT_EQ(ended.Value("level"), "error");
  EXPECT_EQ(ended.Value("plugin"), "pager");
  EXPECT_EQ(ended.Value("sink"), "on \"call\"");
  EXPECT_EQ(ended.Value("delivery"), "d-7");
  EXPECT_EQ(ended.Value("call"), "render");
  EXPECT_THAT(ended.crashed, ElementsAre(7));
}
TEST_P(Exits, OfAThreadInNoPluginAreFailuresToo) {
  const Ended ended = EndOf([](CrashMarks*) { GetParam().exit(); });
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_EQ(ended.Value("event"), "exited");
}
TEST_P(Exits, OfAChildThatAPluginForksAreItsOwn) {
  const Ended ended = EndOf(Inside([] {
    const pid_t child = ::fork();
    if (child == 0) GetParam().exit();
    int status = -1;
    ::waitpid(child, &status, 0);
    fatal_end::EndProcess(status);
  }));
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.said, "");
  EXPECT_THAT(ended.crashed, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Ways, Exits,
                         testing::Values(Exit{"exit", [] { std::exit(0); }}, Exit{"_exit", [] { ::_exit(0); }},
                                         Exit{"_Exit", [] { std::_Exit(0); }},
                                         Exit{"quick_exit", [] { std::quick_exit(0); }}),
                         [](const auto& info) { return std::string(info.param.name); });

// A sanitizer has handlers of its own.
#ifndef HSW_SANITIZED

int Overflow(volatile int& depth) {
  volatile char here[4096];
  depth = depth + 1;
  here[0] = static_cast<char>(depth);
  return depth < 0 ? 0 : Overflow(depth) + here[0];
}

struct Signal {
  const char* name;
  int number;
  void (*raise)();
};
class Signals : public FatalEnd, public testing::WithParamInterface<Signal> {};

TEST_P(Signals, OfAPluginNameItAndEndTheProcess) {
  const Ended ended = EndOf(Inside([] { GetParam().raise(); }));
  EXPECT_EQ(ended.signal, GetParam().number);
  EXPECT_EQ(ended.Value("event"), "plugin_crashed");
  EXPECT_EQ(ended.Value("signal"), GetParam().name);
  EXPECT_EQ(ended.Value("plugin"), "pager");
  EXPECT_EQ(ended.Value("sink"), "on \"call\"");
  EXPECT_EQ(ended.Value("delivery"), "d-7");
  EXPECT_EQ(ended.Value("ts").size(), std::string("2026-03-04T09:02:03.114Z").size());
  EXPECT_TRUE(ended.Value("ts").starts_with("20"));
  EXPECT_THAT(ended.crashed, ElementsAre(7));
}

INSTANTIATE_TEST_SUITE_P(Each, Signals,
                         testing::Values(Signal{"SIGSEGV", SIGSEGV, [] { *static_cast<volatile int*>(nullptr) = 1; }},
                                         Signal{"SIGABRT", SIGABRT, [] { std::abort(); }},
                                         Signal{"SIGFPE", SIGFPE, [] { std::raise(SIGFPE); }},
                                         Signal{"SIGUSR1", SIGUSR1, [] { std::raise(SIGUSR1); }}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_F(FatalEnd, AStackThatRunsOutIsTold) {
  const Ended ended = EndOf(Inside([] {
    volatile int depth = 0;
    (void)Overflow(depth);
  }));
  EXPECT_EQ(ended.signal, SIGSEGV);
  EXPECT_EQ(ended.Value("plugin"), "pager");
  EXPECT_THAT(ended.crashed, ElementsAre(7));
}

TEST_F(FatalEnd, AThreadOfThePluginsOwnIsNotKnownButWhoIsInsideIsBlamed) {
  const Ended ended = EndOf(Inside([] { std::thread([] { std::abort(); }).join(); }));
  EXPECT_EQ(ended.signal, SIGABRT);
  EXPECT_EQ(ended.Value("event"), "crashed");
  EXPECT_THAT(ended.crashed, ElementsAre(7));
}

TEST_F(FatalEnd, ASignalFromOutsideIsNobodysFaultHere) {
  const Ended ended = EndOf(Inside([] {
    const pid_t watched = ::getpid();
    if (::fork() == 0) {
      ::kill(watched, SIGABRT);
      ::_exit(0);
    }
    for (;;) ::pause();
  }));
  EXPECT_EQ(ended.signal, SIGABRT);
  EXPECT_EQ(ended.Value("event"), "crashed");
  EXPECT_NE(ended.Value("sender"), "");
  EXPECT_EQ(ended.Value("plugin"), "");
  EXPECT_THAT(ended.crashed, IsEmpty());
  EXPECT_THAT(ended.killed, ElementsAre(7));
}

TEST_F(FatalEnd, ACrashOfAChildThatAPluginForksIsItsOwn) {
  const Ended ended = EndOf(Inside([] {
    const pid_t child = ::fork();
    if (child == 0) std::abort();
    int status = 0;
    ::waitpid(child, &status, 0);
    fatal_end::EndProcess(WTERMSIG(status));
  }));
  EXPECT_EQ(ended.exit_code, SIGABRT);
  EXPECT_EQ(ended.said, "");
  EXPECT_THAT(ended.crashed, IsEmpty());
}

TEST_F(FatalEnd, APipeThatNobodyReadsDoesNotHoldItUp) {
  const Ended ended = EndOf(Inside([] {
    int ends[2];
    if (::pipe2(ends, O_NONBLOCK) != 0) return;
    char chunk[4096] = {};
    while (::write(ends[1], chunk, sizeof chunk) > 0) continue;
    ::fcntl(ends[1], F_SETFL, 0);
    ::dup2(ends[1], STDERR_FILENO);
    std::abort();
  }));
  EXPECT_EQ(ended.signal, SIGABRT);
}

#endif

}  // namespace
}  // namespace hookswitch
