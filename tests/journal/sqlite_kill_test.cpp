#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <random>
#include <sstream>

#include "tests/journal/sqlite_fixture.h"

extern char** environ;

namespace hookswitch {
namespace {

// Kills a writing process after it has answered for about `lines` events; returns all that it answered for.
std::string RunAndKill(const std::string& path, int first_key, int lines) {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::string program = HSW_JOURNAL_CHILD;
  std::string first = std::to_string(first_key);
  std::string file = path;
  char* argv[] = {program.data(), file.data(), first.data(), nullptr};
  pid_t child = 0;
  EXPECT_EQ(posix_spawn(&child, program.c_str(), &actions, nullptr, argv, environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string answered;
  bool killed = false;
  char buffer[512];
  for (ssize_t length; (length = read(ends[0], buffer, sizeof buffer)) > 0;) {
    answered.append(buffer, static_cast<std::size_t>(length));
    if (!killed && std::count(answered.begin(), answered.end(), '\n') >= lines) {
      kill(child, SIGKILL);
      killed = true;
    }
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  return answered;
}

TEST_F(SqliteFixture, KilledAtAnyMomentItHasAllThatWasAnswered) {
  std::mt19937 random(20260304);
  std::map<EventSeq, std::string> answered;
  for (int round = 0; round < 6; ++round) {
    const int lines = std::uniform_int_distribution(1, 1200)(random);
    std::istringstream text(RunAndKill(path_, round * 1'000'000, lines));
    EventSeq event = 0;
    for (std::string key; text >> event >> key;) answered[event] = key;

    ASSERT_TRUE(Open()) << "round " << round;
    for (const auto& [seq, key] : answered) {
      const auto stored = journal_->Load(seq);
      ASSERT_TRUE(stored) << seq;
      ASSERT_EQ(stored->body, std::string(2000, 'k') + key);
    }
    const auto pending = journal_->LoadPending(0, 1'000'000);
    ASSERT_TRUE(pending);
    EXPECT_EQ(pending->size(), journal_->Stats().events) << "an event is there with its delivery or not at all";
    EXPECT_EQ(journal_->Stats().bad_rows, 0u);
    journal_.reset();
  }
}

}  // namespace
}  // namespace hookswitch
