// Times layouts, and frames of a canvas that is panned and zoomed over a generated 10,000-node graph.
// Run with a display of 1920×1200; prints one line a measurement.
#include <QApplication>
#include <QElapsedTimer>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>

#include "tests/views/generated_graphs.h"
#include "views/widgets/graph_canvas.h"

namespace {

void timeLayout(int nodes) {
    const strobe::LayoutInput input = strobe::testing::layoutInputOf(strobe::testing::makeNetworkScene(nodes));
    std::vector<double> times;
    int64_t crossings = 0;
    for (int i = 0; i < 5; ++i) {
        QElapsedTimer timer;
        timer.start();
        crossings = strobe::layoutGraph(input).crossings;
        times.push_back(static_cast<double>(timer.nsecsElapsed()) * 1e-6);
    }
    std::sort(times.begin(), times.end());
    std::printf("layout  %6d nodes %6zu edges  median %8.1f ms  max %8.1f ms  crossings %lld\n", nodes,
                input.edges.size(), times[2], times.back(), static_cast<long long>(crossings));
}

// `step` changes the view; the frame is then painted at once.
void timeFrames(strobe::GraphCanvas& canvas, const char* name, const std::function<void(int)>& step) {
    constexpr int kFrames = 100;
    std::vector<double> times;
    for (int i = 0; i < kFrames; ++i) {
        QElapsedTimer timer;
        timer.start();
        step(i);
        canvas.repaint();
        times.push_back(static_cast<double>(timer.nsecsElapsed()) * 1e-6);
        QCoreApplication::processEvents();
    }
    std::sort(times.begin(), times.end());
    std::printf("frames  %-28s median %6.2f ms  p95 %6.2f ms  max %6.2f ms\n", name, times[kFrames / 2],
                times[kFrames * 95 / 100], times.back());
}

}  // namespace

int main(int argc, char** argv) {
    QApplication app(argc, argv);
    strobe::Theme::instance().install();
    for (const int nodes : {672, 2000, 10'000}) timeLayout(nodes);
    strobe::GraphCanvas canvas;
    canvas.setAnimated(false);
    canvas.resize(1900, 1150);
    canvas.show();
    auto scene = strobe::testing::makeWideScene(10'000, 24);
    for (auto& node : scene.nodes) {
        node.chip = QStringLiteral("0.123 ms");
        node.precision = QStringLiteral("INT8");
    }
    canvas.setScene(std::make_shared<const strobe::GraphScene>(std::move(scene)));
    if (!canvas.waitForLayout()) return 1;
    // Ctrl+wheel pans; a step is a third of the window, so that every frame shows other nodes.
    const auto panStep = [&](int i) {
        const QPointF at(950, 575);
        QWheelEvent wheel(at, canvas.mapToGlobal(at), {}, QPoint(0, i % 50 < 25 ? -360 : 360), Qt::NoButton,
                          Qt::ControlModifier, Qt::NoScrollPhase, false);
        QCoreApplication::sendEvent(&canvas, &wheel);
    };
    timeFrames(canvas, "beginning of the graph", [&](int) { canvas.update(); });
    canvas.zoomToFit();
    timeFrames(canvas, "whole graph", [&](int) { canvas.update(); });
    for (const double zoom : {0.1, 0.29, 0.31, 0.5, 1.0}) {
        canvas.reveal(6000);
        canvas.setZoomFactor(zoom);
        const QByteArray name = "pan at zoom " + QByteArray::number(zoom);
        timeFrames(canvas, name.constData(), panStep);
    }
    canvas.reveal(6000);
    timeFrames(canvas, "zoom 0.05 to 2", [&](int i) { canvas.setZoomFactor(0.05 * std::pow(40.0, i / 99.0)); });
    canvas.setScene(std::make_shared<const strobe::GraphScene>(strobe::testing::makeNetworkScene(10'000)));
    if (!canvas.waitForLayout()) return 1;
    canvas.zoomToFit();
    timeFrames(canvas, "whole of a deep graph", [&](int) { canvas.update(); });
    return 0;
}
