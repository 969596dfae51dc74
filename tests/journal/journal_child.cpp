#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "core/journal/sqlite_journal.h"

// Appends numbered events from several threads until it is killed; writes "<event> <key>\n" to its standard output once
// an event was answered. Usage: journal_child PATH FIRST_KEY
int main(int argc, char** argv) {
  using namespace hookswitch;
  if (argc != 3) return 2;
  const SystemClock clock;
  auto journal = OpenSqliteJournal({.path = argv[1]}, clock, {.checkpoint_frames = 100});
  if (!journal) return 1;
  std::atomic<int> key{std::stoi(argv[2])};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (;;) {
        const std::string text = std::to_string(key++);
        const std::string body = std::string(2000, 'k') + text;
        const NewDelivery delivery{.sink = "ops", .rule = "rule", .template_name = ""};
        NewEvent event;
        event.source = "bolna";
        event.body = body;
        event.dedup = DigestOf(text);
        event.received_at = clock.Wall();
        event.deliveries = {&delivery, 1};
        const auto accepted = (*journal)->Append(event);
        if (!accepted) _exit(1);
        const std::string line = std::to_string(accepted->event) + " " + text + "\n";
        // Shorter than PIPE_BUF, so lines of different threads do not mix.
        if (write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) _exit(1);
      }
    });
  }
}
