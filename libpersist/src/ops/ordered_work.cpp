// Each thread takes the next number, works, and waits for its turn.
#include "ops/ordered_work.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace persist {

namespace {

class PortionQueue {
 public:
  explicit PortionQueue(size_t portions) : portions_(portions) {}

  void run(PortionWorker& worker) {
    try {
      while (step(worker)) {
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!trouble_) trouble_ = std::current_exception();
      next_ = portions_;
      changed_.notify_all();
    }
  }

  void finish() {
    if (trouble_) std::rethrow_exception(trouble_);
  }

 private:
  bool step(PortionWorker& worker) {
    size_t portion = 0;
    {
      const std::lock_guard lock(mutex_);
      if (next_ >= portions_) return false;
      portion = next_++;
    }
    worker.work(portion);
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return trouble_ || turn_ == portion; });
      if (trouble_) return false;
    }
    worker.emit();
    const std::lock_guard lock(mutex_);
    ++turn_;
    changed_.notify_all();
    return true;
  }

  const size_t portions_;
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t next_ = 0;
  size_t turn_ = 0;
  std::exception_ptr trouble_;
};

}  // namespace

void run_in_order(size_t portions, unsigned threads,
                  const std::function<std::unique_ptr<PortionWorker>()>& make_worker) {
  PortionQueue queue(portions);
  std::vector<std::unique_ptr<PortionWorker>> workers;
  for (size_t i = 0; i < std::max<size_t>(std::min<size_t>(threads, portions), 1); ++i)
    workers.push_back(make_worker());
  std::vector<std::thread> others;
  for (size_t i = 1; i < workers.size(); ++i) {
    try {
      others.emplace_back([&queue, &worker = *workers[i]] { queue.run(worker); });
    } catch (const std::system_error&) {
      break;  // there is one fewer
    }
  }
  queue.run(*workers.front());
  for (std::thread& other : others) other.join();
  queue.finish();
}

}  // namespace persist
