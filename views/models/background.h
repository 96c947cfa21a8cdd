// Work off the GUI thread whose result comes back to it.
#pragma once

#include <QFuture>
#include <QObject>
#include <QPromise>
#include <QThreadPool>
#include <exception>
#include <memory>
#include <type_traits>

#include "engine_core/base/exceptions.h"

namespace strobe {

/// Runs `work` on the shared pool, then `done` with its result in `context`'s thread, unless `context` is gone by then
/// or an exception left `work`, which is logged.
template <class Work, class Done>
void runInBackground(QObject* context, Work work, Done done) {
    using Value = std::invoke_result_t<Work>;
    auto promise = std::make_shared<QPromise<Value>>();
    promise->future().then(context, std::move(done));
    promise->start();
    QThreadPool::globalInstance()->start([promise, work = std::move(work)] {
        try {
            promise->addResult(work());
        } catch (...) {
            qWarning("work in the background failed: %s", statusOfException().message().c_str());
            promise->setException(std::current_exception());
        }
        promise->finish();
    });
}

}  // namespace strobe
