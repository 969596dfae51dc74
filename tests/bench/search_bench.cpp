#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <cmath>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/journal/search_index.h"
#include "core/journal/search_words.h"

// One search in an index of 100,000 and of 1,000,000 made-up calls, and what making it costs: bytes and CPU time for
// each event, in batches as when it catches up. Half a minute for the small one, some minutes for both
// (--benchmark_filter=/100000 leaves the large one out).
namespace hookswitch {
namespace {

constexpr std::size_t kBatch = 256;
constexpr std::int64_t kAgents = 200, kWords = 20'000;

std::string WordNumber(std::int64_t number) {
  static constexpr const char* kSyllables[] = {"ba", "re",  "mi", "to", "lu",  "ka", "sen", "dor",
                                               "vi", "gra", "no", "pe", "shi", "ul", "an",  "tor"};
  std::string word;
  for (number += 16; number > 0; number /= 16) word += kSyllables[number % 16];
  return word;
}

/// Calls like those of a platform: a body of 4 KB with ids, numbers and a transcript in words of a natural frequency.
class Calls {
 public:
  IndexedEvent Make(EventSeq seq) {
    IndexedEvent event;
    event.seq = seq;
    event.received_at = WallTime(std::chrono::milliseconds(1'772'614'923'114 + 100 * seq));
    event.source = "bolna";
    event.agent = "agent-" + std::to_string(Below(kAgents));
    const std::int64_t status = Below(20);
    event.status = status < 12 ? "completed" : status < 15 ? "no-answer" : status < 17 ? "busy" : "failed";
    event.direction = Below(3) == 0 ? "inbound" : "outbound";
    event.call_id = Id();
    event.duration = static_cast<double>(Below(3000)) / 10;
    event.cost = static_cast<double>(Below(800)) / 100;
    event.deliveries = {{"ops", "everything", DeliveryState::kDelivered}};
    if (Below(1000) == 0) event.deliveries[0].state = DeliveryState::kDead;
    if (status >= 17) event.deliveries.push_back({"oncall", "failed", DeliveryState::kDelivered});
    const std::string to = "+91" + std::to_string(10'000'000'000 + Below(9'000'000'000)).substr(1);
    event.text = event.call_id + '\n' + Id() + '\n' + Id() + '\n' + to + "\n+12025550188\n2026-03-04T08:48:27." +
                 std::to_string(Below(1'000'000)) + '\n' + std::to_string(Below(8000)) + "." +
                 std::to_string(Below(100)) + "\nplivo outbound Call recipient hungup completed polly deepgram";
    for (std::int64_t i = 0, count = 150 + Below(250); i < count; ++i) event.text += ' ' + WordNumber(Rank());
    if (seq % 400'000 == 77) event.text += " xylophone";
    event.marks = {MarkOf(splitter_, "to", to), MarkOf(splitter_, "from", "+12025550188")};
    for (int i = 0; i < 8; ++i) {
      event.marks.push_back(MarkOf(splitter_, "data.General.Field" + std::to_string(i), WordNumber(Below(40))));
    }
    event.matches = {{"everything", ""}};
    return event;
  }

 private:
  std::int64_t Below(std::int64_t most) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(most));
  }
  /// A word's rank: that of rank n comes 1/n times as often as the first.
  std::int64_t Rank() {
    const double share = std::uniform_real_distribution<double>(0, 1)(random_);
    return static_cast<std::int64_t>(std::exp(share * std::log(static_cast<double>(kWords)))) - 1;
  }
  std::string Id() {
    char id[40];
    std::snprintf(id, sizeof id, "%08x-%04x-%04x-%04x-%012llx", static_cast<unsigned>(random_()),
                  static_cast<unsigned>(random_() & 0xffff), static_cast<unsigned>(random_() & 0xffff),
                  static_cast<unsigned>(random_() & 0xffff),
                  static_cast<unsigned long long>(random_() & 0xffffffffffff));
    return id;
  }

  std::mt19937_64 random_{42};
  WordSplitter splitter_;
};

/// An index that is made once and removed at the end.
class Made {
 public:
  explicit Made(std::int64_t events) {
    folder_ = (std::filesystem::temp_directory_path() / "hsw_search_XXXXXX").string();
    if (mkdtemp(folder_.data()) == nullptr) std::abort();
    auto opened = SearchIndex::Open(folder_ + "/journal.db", 1, events, clock_);
    if (!opened) std::abort();
    index_ = std::move(*opened);
    Calls calls;
    std::clock_t spent = 0;
    std::vector<IndexedEvent> batch;
    for (EventSeq seq = 1; seq <= events; ++seq) {
      batch.push_back(calls.Make(seq));
      if (batch.size() < kBatch && seq != events) continue;
      const std::clock_t begin = std::clock();
      if (!index_->Add(batch, seq)) std::abort();
      spent += std::clock() - begin;
      batch.clear();
    }
    us_per_event_ = 1e6 * static_cast<double>(spent) / CLOCKS_PER_SEC / static_cast<double>(events);
  }
  ~Made() {
    index_.reset();
    std::filesystem::remove_all(folder_);
  }
  Made(const Made&) = delete;
  Made& operator=(const Made&) = delete;

  SearchReader& reader() { return index_->reader(); }
  double us_per_event() const { return us_per_event_; }
  double bytes_per_event() const {
    return static_cast<double>(index_->BytesOnDisk()) / static_cast<double>(index_->events());
  }

 private:
  SystemClock clock_;
  std::string folder_;
  std::unique_ptr<SearchIndex> index_;
  double us_per_event_ = 0;
};

Made& IndexOf(std::int64_t events) {
  static std::map<std::int64_t, std::unique_ptr<Made>> made;
  auto& index = made[events];
  if (!index) index = std::make_unique<Made>(events);
  return *index;
}

SearchFilter Words(std::vector<std::string> words, bool negated = false) {
  SearchFilter filter;
  filter.texts = {{{{std::move(words), true}}, negated}};
  return filter;
}
SearchFilter Agent(const char* glob) {
  SearchFilter filter;
  filter.names = {{SearchFilter::Names::Of::kAgent, {glob}, {}, false}};
  return filter;
}
SearchFilter Longer(double seconds) {
  SearchFilter filter;
  filter.ranges = {{SearchFilter::Ranges::Of::kDuration, {{.least = seconds, .most = {}}}, false}};
  return filter;
}
SearchFilter State(DeliveryState state, const char* sink) {
  SearchFilter filter;
  filter.deliveries = {{{}, {}, {state}, false}, {{sink}, {}, {}, false}};
  return filter;
}
SearchFilter Both(SearchFilter a, const SearchFilter& b) {
  a.names.insert(a.names.end(), b.names.begin(), b.names.end());
  a.ranges.insert(a.ranges.end(), b.ranges.begin(), b.ranges.end());
  a.texts.insert(a.texts.end(), b.texts.begin(), b.texts.end());
  return a;
}
SearchFilter Field(const char* name, const char* value, bool is_prefix) {
  SearchFilter filter;
  filter.fields = {{name, {{value, is_prefix}}, false}};
  return filter;
}

void Search(benchmark::State& state, const SearchFilter& filter) {
  Made& index = IndexOf(state.range(0));
  std::size_t found = 0;
  for (auto _ : state) {
    const auto page = index.reader().Find(filter, 0, 100, MonoTime::max());
    if (!page) return state.SkipWithError(page.error().message.c_str());
    found = page->items.size();
  }
  state.counters["found"] = static_cast<double>(found);
  state.counters["cpu_us_per_event"] = index.us_per_event();
  state.counters["bytes_per_event"] = index.bytes_per_event();
}

void Register(const char* name, const SearchFilter& filter) {
  benchmark::RegisterBenchmark(name, [filter](benchmark::State& state) { Search(state, filter); })
      ->Arg(100'000)
      ->Arg(1'000'000)
      ->Unit(benchmark::kMillisecond);
}

[[maybe_unused]] const int kRegistered = [] {
  Register("newest", {});
  Register("agent", Agent("agent-7"));
  Register("no_such_agent", Agent("nobody"));
  Register("longest", Longer(299.95));
  Register("dead_at_ops", State(DeliveryState::kDead, "ops"));
  Register("dead_at_oncall", State(DeliveryState::kDead, "oncall"));
  Register("rare_word", Words({"xylophone"}));
  Register("no_such_word", Words({"zzzz"}));
  Register("common_word", Words({"recipient"}));
  Register("one_letter", Words({"l"}));
  Register("common_beginning_of_a_longest_call", Both(Words({"lus"}), Longer(299.95)));
  Register("four_letters_of_a_longest_call", Both(Words({"lure"}), Longer(299.95)));
  Register("common_word_not_of_a_call_that_was_none", Both(Words({"recipient"}, true), Longer(0)));
  Register("number", Field("to", "+911234567890", false));
  Register("numbers", Field("to", "+9112345", true));
  Register("data", Field("data.General.Field3", WordNumber(7).c_str(), false));
  SearchFilter time;
  time.until = WallTime(std::chrono::milliseconds(1'772'614'923'114 + 100 * 500));
  Register("oldest", time);
  return 0;
}();

}  // namespace
}  // namespace hookswitch
