#include "bot.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "bot_errors.h"
#include "hookswitch/json.hpp"
#include "hookswitch/text.hpp"
#include "layout.h"
#include "transcript.h"

namespace slack {
namespace {

// Nobody reads more messages of a thread, and a delivery has at most 16 steps.
constexpr std::size_t kMaxParts = 12;
constexpr std::size_t kMaxMemory = 1000;  // the ABI's member has 1023 bytes

std::vector<std::string_view> Split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(by);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

template <class Number>
Number NumberOf(std::string_view text, Number otherwise = 0) {
  std::from_chars(text.data(), text.data() + text.size(), otherwise);
  return otherwise;
}

/// The channel's ID from a copied link, https://….slack.com/archives/C012ABCDEF; returns other texts unchanged.
std::string ChannelOf(std::string channel) {
  constexpr std::string_view kFolder = "/archives/";
  const auto at = channel.find(kFolder);
  if (!channel.starts_with("https://") || at == std::string::npos) return channel;
  const auto id = channel.substr(at + kFolder.size());
  return id.substr(0, id.find_first_of("/?#"));
}

/// FNV-1a: detects whether a transcript has changed since it was sent.
std::string Fingerprint(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  std::array<char, 17> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), hash, 16).ptr;
  return {digits.data(), end};
}

/// Memory of a call in one channel, one line of the sink's memory: its first message, the time of the event shown
/// there, and the transcript that was sent completely.
struct Remembered {
  std::string wanted;  ///< the channel as the config names it
  std::string channel, ts;
  std::int64_t at = 0;
  std::string transcript;

  std::string Line() const {
    return wanted + '\t' + channel + '\t' + ts + '\t' + std::to_string(at) + '\t' + transcript + '\n';
  }
};

std::optional<Remembered> Find(std::string_view memory, std::string_view wanted) {
  for (const auto line : Split(memory, '\n')) {
    const auto parts = Split(line, '\t');
    if (parts.size() != 5 || parts[0] != wanted) continue;
    return Remembered{std::string(parts[0]), std::string(parts[1]), std::string(parts[2]),
                      NumberOf<std::int64_t>(parts[3]), std::string(parts[4])};
  }
  return std::nullopt;
}

/// The memory with `now` first; drops the least recently used entries.
std::string With(std::string_view memory, const Remembered& now) {
  std::string out = now.Line();
  for (const auto line : Split(memory, '\n')) {
    if (line.empty() || Split(line, '\t')[0] == now.wanted || out.size() + line.size() + 1 > kMaxMemory) continue;
    out.append(line).append(1, '\n');
  }
  return out;
}

std::int64_t AtOf(const hsw::Delivery& delivery) {
  return delivery.Message().AtUnixMs().value_or(0);
}

}  // namespace

/// What one request does. Stored as the delivery's state between steps, tab-separated.
struct Bot::Step {
  enum class Do { kPost, kReply, kUpdate, kPart, kAskForUpload, kUpload, kShareFile };
  Do what = Do::kPost;
  bool plain = false;           ///< without blocks: Slack has rejected them
  std::string channel;          ///< as in the config; its ID after the first response
  std::string thread_ts;        ///< the message to reply to, or to update
  std::size_t part = 0;         ///< with kPart
  std::string file_id, upload;  ///< with kUpload and kShareFile: the file's ID and upload URL

  std::string Text() const {
    std::string text(1, static_cast<char>('0' + static_cast<int>(what)));
    for (const std::string& member :
         {std::string(plain ? "plain" : ""), channel, thread_ts, std::to_string(part), file_id, upload}) {
      text.append(1, '\t').append(member);
    }
    return text;
  }
  static Step FromText(std::string_view text) {
    const auto parts = Split(text, '\t');
    if (parts.size() != 7 || parts[0].size() != 1) throw hsw::Rejected("bad_state", "the delivery's state is damaged");
    return {static_cast<Do>(parts[0][0] - '0'), parts[1] == "plain",   std::string(parts[2]), std::string(parts[3]),
            NumberOf<std::size_t>(parts[4]),    std::string(parts[5]), std::string(parts[6])};
  }
  bool IsMessage() const { return what == Do::kPost || what == Do::kReply || what == Do::kUpdate; }
};

Bot::Bot(const hsw::Config& config)
    : tools_(config.Tools()),
      api_(config.String("api_url", "https://slack.com/api")),
      authorization_("Bearer " + config.String("token")),
      channel_(ChannelOf(config.String("channel"))),
      thread_(config.String("thread") == "call"),
      update_(config.Bool("update")),
      any_host_(config.Bool("allow_any_host")),
      long_transcript_(config.String("long_transcript") == "thread" ? LongTranscript::kThread
                       : config.String("long_transcript") == "file" ? LongTranscript::kFile
                                                                    : LongTranscript::kCut),
      max_transcript_(static_cast<std::size_t>(config.Int("max_transcript", 2800))),
      mentions_(config) {
  if (api_.ends_with('/')) api_.pop_back();
  for (int i = 0;; ++i) {
    const std::string choice = "channels." + std::to_string(i) + ".";
    const auto channel = config.Find(choice + "channel");
    if (!channel) break;
    channels_.push_back(
        {config.String(choice + "rule"), config.String(choice + "agent"), ChannelOf(std::string(*channel))});
  }
}

std::string Bot::ProblemWithApi(const hsw::Config& config) {
  const auto url = config.String("api_url", "https://slack.com/api");
  if (config.Bool("allow_any_host")) return hsw::ProblemWithServiceUrl(url, true);
  for (const char* known : {"https://slack.com/api", "https://slack-gov.com/api"}) {
    if (url == known || url == std::string(known) + "/") return "";
  }
  return "must be https://slack.com/api or https://slack-gov.com/api; set allow_any_host: true for another server";
}

std::string_view Bot::ChannelFor(const hsw::Delivery& delivery) const {
  for (const Choice& choice : channels_) {
    if (!choice.rule.empty() && !delivery.RuleIs(choice.rule)) continue;
    if (!choice.agent.empty() && !delivery.AgentIs(choice.agent)) continue;
    return choice.channel;
  }
  return channel_;
}

// The upload URL is a credential and comes from a response, so its host is not from the config.
bool Bot::IsUploadUrl(std::string_view url) const {
  return url.size() <= 800 && hsw::ProblemWithServiceUrl(url, any_host_).empty();
}

Bot::Step Bot::StepOf(const hsw::Delivery& delivery) const {
  Step step;
  if (!delivery.State().empty()) {
    step = Step::FromText(delivery.State());
    // The config may have become stricter.
    if (step.what == Step::Do::kUpload && !IsUploadUrl(step.upload)) step.what = Step::Do::kAskForUpload;
    return step;
  }
  step.channel = ChannelFor(delivery);
  if (!thread_ && !update_) return step;
  const auto known = Find(delivery.Memory(), step.channel);
  if (!known) return step;
  // Platforms repeat and reorder events: an older status must not replace a newer one.
  const bool newer = AtOf(delivery) >= known->at;
  step.what = update_ && newer ? Step::Do::kUpdate : Step::Do::kReply;
  step.channel = known->channel;
  step.thread_ts = known->ts;
  return step;
}

bool Bot::SendsAllOfTranscript(const hsw::Delivery& delivery) const {
  const auto transcript = delivery.Message().Transcript();
  if (long_transcript_ == LongTranscript::kCut || hsw::IsBlank(transcript)) return false;
  if (hsw::CutCodePoints(transcript, max_transcript_).size() == transcript.size()) return false;
  const auto known = Find(delivery.Memory(), ChannelFor(delivery));
  return !known || known->transcript != Fingerprint(transcript);
}

void Bot::Render(const hsw::Delivery& delivery, hsw::Request& request) const {
  const Step step = StepOf(delivery);
  const auto message = delivery.Message();
  const auto json = [&](std::string_view method, std::string body) {
    request.Url(api_ + "/" + std::string(method));
    request.Header("Authorization", authorization_);
    request.Header("Content-Type", "application/json; charset=utf-8");
    // The envelope's members come before those of `body`.
    hsw::JsonWriter envelope;
    envelope.BeginObject();
    envelope.Key("channel").String(step.channel);
    if (step.what == Step::Do::kUpdate) {
      envelope.Key("ts").String(step.thread_ts);
    } else if (!step.thread_ts.empty()) {
      envelope.Key("thread_ts").String(step.thread_ts);
    }
    request.Body(std::string(envelope.Text()).append(1, ',').append(body, 1));
    // One message per second and channel, short bursts allowed (docs.slack.dev/apis/web-api/rate-limits): 25 at once
    // have been accepted (RamblingCookieMonster/PSSlack#52), and a limited channel does not delay others.
    request.Pace(step.channel, 1, 1000, 10);
  };
  const auto form = [&](std::string_view method, std::string body) {
    request.Url(api_ + "/" + std::string(method));
    request.Header("Authorization", authorization_);
    request.Header("Content-Type", "application/x-www-form-urlencoded");
    request.Body(body);
    // A limit per minute and method (tier 4); a pause for a method does not delay the channels.
    request.Pace(method, 100, 60'000, 20);
  };
  switch (step.what) {
    case Step::Do::kPost:
    case Step::Do::kReply:
    case Step::Do::kUpdate: {
      const auto mention = mentions_.For(hsw::View(delivery.Event().status));
      return json(
          step.what == Step::Do::kUpdate ? "chat.update" : "chat.postMessage",
          step.plain ? PlainBody(message, max_transcript_, mention) : BlocksBody(message, max_transcript_, mention));
    }
    case Step::Do::kPart: {
      // A changed template may have shortened the transcript.
      auto parts = TranscriptParts(message.Transcript(), kMaxParts);
      return json("chat.postMessage", std::move(parts[std::min(step.part, parts.size() - 1)]));
    }
    case Step::Do::kAskForUpload:
      return form("files.getUploadURLExternal", "filename=" + tools_.Form(FileName(delivery)) +
                                                    "&length=" + std::to_string(FileText(message.Transcript()).size()));
    case Step::Do::kUpload:
      request.Url(step.upload);
      if (!any_host_) request.PublicOnly();
      request.Header("Content-Type", "text/plain; charset=utf-8");
      request.Pace("upload", 0, 0, 0);
      return request.Body(FileText(message.Transcript()));
    case Step::Do::kShareFile: {
      hsw::JsonWriter files;
      files.BeginArray().BeginObject();
      files.Key("id").String(step.file_id);
      files.Key("title").String("Transcript");
      files.EndObject().EndArray();
      return form("files.completeUploadExternal", "files=" + tools_.Form(files.Text()) +
                                                      "&channel_id=" + tools_.Form(step.channel) +
                                                      "&thread_ts=" + tools_.Form(step.thread_ts));
    }
  }
  throw hsw::Rejected("bad_state", "the delivery's state is damaged");
}

hsw::Outcome Bot::Interpret(const hsw::Delivery& delivery, const hsw::Response& response) const {
  const Step step = StepOf(delivery);
  const bool success = response.Status() >= 200 && response.Status() < 300;
  // The upload URL responds with "OK - 120" (docs.slack.dev/messaging/working-with-files). The beginning of a cut
  // response is enough to see that.
  const bool ok = response.Json("/ok") == "true" || response.Body().starts_with(R"({"ok":true)");
  const bool done = success && (ok || step.what == Step::Do::kUpload);
  return done ? Succeeded(step, delivery, response) : Failed(step, response);
}

hsw::Outcome Bot::Succeeded(Step step, const hsw::Delivery& delivery, const hsw::Response& response) const {
  switch (step.what) {
    case Step::Do::kPost: {
      const auto channel = response.Json("/channel"), ts = response.Json("/ts");
      if (!channel || !ts) return hsw::Outcome::Delivered();  // posted, but no further step is possible
      step.channel = *channel;
      step.thread_ts = *ts;
      return AfterMessage(step, delivery);
    }
    case Step::Do::kReply: return AfterMessage(step, delivery);
    case Step::Do::kUpdate: {
      if (!thread_) return AfterMessage(step, delivery);
      step.what = Step::Do::kReply;
      step.plain = false;
      Remembered now = Find(delivery.Memory(), ChannelFor(delivery)).value_or(Remembered{});
      now.at = AtOf(delivery);
      return hsw::Outcome::Next(step.Text()).Memory(With(delivery.Memory(), now));
    }
    case Step::Do::kPart:
      if (++step.part < TranscriptParts(delivery.Message().Transcript(), kMaxParts).size()) {
        return hsw::Outcome::Next(step.Text());
      }
      return Finished(step, delivery);
    case Step::Do::kAskForUpload: {
      const auto url = response.Json("/upload_url"), id = response.Json("/file_id");
      const bool usable = url && id && IsUploadUrl(*url);
      step.what = usable ? Step::Do::kUpload : Step::Do::kPart;
      step.upload = usable ? std::string(*url) : "";
      step.file_id = usable ? std::string(*id) : "";
      return hsw::Outcome::Next(step.Text());
    }
    case Step::Do::kUpload:
      step.what = Step::Do::kShareFile;
      step.upload.clear();
      return hsw::Outcome::Next(step.Text());
    case Step::Do::kShareFile: return Finished(step, delivery);
  }
  throw hsw::Rejected("bad_state", "the delivery's state is damaged");
}

/// The message was posted: determines the next step and the new memory.
hsw::Outcome Bot::AfterMessage(Step step, const hsw::Delivery& delivery) const {
  auto outcome = hsw::Outcome::Delivered().RemoteId(step.channel + "/" + step.thread_ts);
  const bool more = SendsAllOfTranscript(delivery);
  const bool is_reply = step.what == Step::Do::kReply;
  if (more) {
    step.what = long_transcript_ == LongTranscript::kFile ? Step::Do::kAskForUpload : Step::Do::kPart;
    step.plain = false;
    outcome = hsw::Outcome::Next(step.Text());
  }
  if (!thread_ && !update_) return outcome;
  const auto wanted = ChannelFor(delivery);
  const auto known = Find(delivery.Memory(), wanted);
  Remembered now{std::string(wanted), step.channel, step.thread_ts, AtOf(delivery), known ? known->transcript : ""};
  if (is_reply && known) now.at = known->at;
  if (known && known->Line() == now.Line()) return outcome;
  return outcome.Memory(With(delivery.Memory(), now));
}

/// The whole transcript was sent.
hsw::Outcome Bot::Finished(const Step& step, const hsw::Delivery& delivery) const {
  auto outcome = hsw::Outcome::Delivered().RemoteId(step.channel + "/" + step.thread_ts);
  auto known = Find(delivery.Memory(), ChannelFor(delivery));
  if (!known) return outcome;
  known->transcript = Fingerprint(delivery.Message().Transcript());
  return outcome.Memory(With(delivery.Memory(), *known));
}

hsw::Outcome Bot::Failed(Step step, const hsw::Response& response) const {
  const BotError error = step.what == Step::Do::kUpload ? ReadUploadError(response) : ReadError(response);
  if (error.outcome.status() == HSW_RETRY) return error.outcome;
  const auto instead = [&](Step::Do what, const std::string& reason) {
    step.what = what;
    return hsw::Outcome::Next(step.Text()).Code(error.code).Reason(error.reason + reason);
  };
  if (step.IsMessage() && error.is_layout && !step.plain) {
    step.plain = true;
    return instead(step.what, "; it goes out as text alone");
  }
  if ((step.what == Step::Do::kUpdate || step.what == Step::Do::kReply) && error.is_about_thread) {
    step.thread_ts.clear();
    return instead(Step::Do::kPost, "; it goes out as a new message");
  }
  if (step.what == Step::Do::kUpdate && error.is_about_update) {
    return instead(Step::Do::kReply, "; it goes out as a reply");
  }
  if (step.what == Step::Do::kPart && error.is_about_thread) {
    return hsw::Outcome::Delivered()
        .RemoteId(step.channel + "/" + step.thread_ts)
        .Reason("without the whole transcript: " + error.reason);
  }
  const bool is_file =
      step.what == Step::Do::kAskForUpload || step.what == Step::Do::kUpload || step.what == Step::Do::kShareFile;
  if (is_file) {
    step.upload.clear();
    step.file_id.clear();
    return instead(Step::Do::kPart, "; the transcript goes into the thread instead of a file").Action(error.action);
  }
  return error.outcome;
}

}  // namespace slack
