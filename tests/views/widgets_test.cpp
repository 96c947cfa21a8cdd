#include <QHeaderView>
#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QSignalSpy>
#include <QStandardItemModel>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <array>

#include "views/widgets/bar_chart.h"
#include "views/widgets/breakable_text.h"
#include "views/widgets/command_palette.h"
#include "views/widgets/filter_bar.h"
#include "views/widgets/key_value_view.h"
#include "views/widgets/segmented_control.h"
#include "views/widgets/status_widgets.h"
#include "views/widgets/table_roles.h"
#include "views/widgets/table_view.h"
#include "views/widgets/theme.h"

using namespace strobe;

namespace {

double contrast(const QColor& a, const QColor& b) {
    const auto luminance = [](const QColor& c) {
        const auto linear = [](double v) { return v <= 0.03928 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4); };
        return 0.2126 * linear(c.redF()) + 0.7152 * linear(c.greenF()) + 0.0722 * linear(c.blueF());
    };
    const double x = luminance(a) + 0.05, y = luminance(b) + 0.05;
    return x > y ? x / y : y / x;
}

void fill(QStandardItemModel& model) {
    model.setHorizontalHeaderLabels({"Layer", "Time (ms)"});
    for (const auto& [name, time] : {std::pair{"conv|1", 1.5}, std::pair{"conv,2", 0.25}}) {
        auto* number = new QStandardItem(QString::number(time));
        number->setData(time, kSortRole);
        number->setTextAlignment(Qt::AlignRight);
        model.appendRow({new QStandardItem(name), number});
    }
    model.horizontalHeaderItem(1)->setData(true, kSummableRole);
}

}  // namespace

class WidgetsTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { Theme::instance().install(); }

    void aChartIsSavedFromItsContextMenu() {
        const QTemporaryDir folder;
        BarChart chart;
        BarChartData bars;
        bars.title = "Values of conv1.weight";
        bars.values = {1, 4, 9, 4, 1};
        bars.low = -1;
        bars.high = 1;
        bars.colour = Qt::red;
        chart.setData(bars);
        QString error;
        QVERIFY2(chart.savePicture(folder.filePath("bars.png"), &error), qPrintable(error));
        const QImage image(folder.filePath("bars.png"));
        QCOMPARE(image.pixelColor(image.width() / 2, image.height() / 2), QColor(Qt::red));
        QVERIFY(chart.savePicture(folder.filePath("bars.svg"), &error));
        QFile svg(folder.filePath("bars.svg"));
        QVERIFY(svg.open(QIODevice::ReadOnly));
        QVERIFY(svg.readAll().contains("Values of conv1.weight"));
        QVERIFY(!chart.savePicture("/nowhere/bars.svg", &error));
        QVERIFY2(error.startsWith("/nowhere/bars.svg could not be written"), qPrintable(error));
        chart.show();
        QStringList offered;
        QTimer::singleShot(100, &chart, [&offered] {
            auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget());
            if (menu == nullptr) return;
            for (const QAction* action : menu->actions()) offered << action->text();
            menu->close();
        });
        QContextMenuEvent event(QContextMenuEvent::Mouse, QPoint(20, 20), chart.mapToGlobal(QPoint(20, 20)));
        QCoreApplication::sendEvent(&chart, &event);
        QCOMPARE(offered, (QStringList{"Save chart as PNG…", "Save chart as SVG…"}));
    }

    void columnsAreNeverNarrowerThanTheirHeaders() {
        QStandardItemModel model;
        fill(model);
        TableView table;
        table.setModel(&model);
        const auto headerTakes = [&](int column) {
            const QString title = model.headerData(column, Qt::Horizontal).toString();
            return table.horizontalHeader()->fontMetrics().horizontalAdvance(title);
        };
        table.setColumnWidths(std::array{300, 10});
        QCOMPARE(table.columnWidth(0), 300);
        QVERIFY(table.columnWidth(1) > headerTakes(1));
        model.setHeaderData(1, Qt::Horizontal, "Cumulative share (%)");
        QVERIFY(table.columnWidth(1) > headerTakes(1));
        table.setColumnHidden(1, true);
        model.setHeaderData(1, Qt::Horizontal, "Cumulative share of the whole (%)");
        table.setColumnHidden(1, false);
        QVERIFY(table.columnWidth(1) > headerTakes(1));
        QCOMPARE(table.columnWidth(0), 300);
    }

    void endsOfAnAxisDoNotOverlapItsZero() {
        BarChart chart;
        chart.resize(280, 120);
        const auto axis = [&chart](double low, double high) {
            BarChartData bars;
            bars.values = {1, 4, 9};
            bars.low = low;
            bars.high = high;
            chart.setData(bars);
            const QImage picture = chart.grab().toImage();
            return picture.copy(0, picture.height() * 4 / 5, picture.width() / 2, picture.height() / 5);
        };
        QVERIFY(axis(-5, 10) != axis(-5, 0));
        QCOMPARE(axis(-0.5, 60), axis(-0.5, 0));  // its zero would stand on the low end
    }

    void longValuesWrapAndAreCopiedAsTheyAre() {
        const QString shape =
            QStringLiteral("1×64×div(div(height+1,2)+1,2)*2×div(div(width+1,2)+1,2)*2+height×some_long_symbol_name");
        KeyValueView view;
        view.setSections({{{}, {{"shape", shape, {}, true, {}}}}});
        view.resize(200, 300);
        view.show();
        QVERIFY(QTest::qWaitForWindowExposed(&view));
        for (QLabel* label : view.findChildren<QLabel*>())
            QVERIFY2(label->minimumSizeHint().width() <= 200 && label->geometry().right() <= 200,
                     qPrintable(label->text()));
        QLabel* value = nullptr;
        for (QLabel* label : view.findChildren<QLabel*>())
            if (unbroken(label->text()) == shape) value = label;
        QVERIFY(value != nullptr);
        value->actions().front()->trigger();
        QCOMPARE(QApplication::clipboard()->text(), shape);
        value->setSelection(0, static_cast<int>(value->text().size()));
        value->setFocus();
        QTest::keyClick(value, Qt::Key_C, Qt::ControlModifier);
        QCOMPARE(QApplication::clipboard()->text(), shape);
        QCOMPARE(unbroken(breakable("0.5 a.b/c")), QString("0.5 a.b/c"));
        QVERIFY(breakable("0.5") == "0.5");
    }

    void textHasContrastInBothThemes() {
        for (const ThemeMode mode : {ThemeMode::Light, ThemeMode::Dark}) {
            Theme::instance().setMode(mode);
            const ThemeColours& c = Theme::instance().colours();
            for (const QColor& text : {c.text, c.secondary, c.accent, c.good, c.warning, c.bad}) {
                QVERIFY2(contrast(text, c.surface) >= 4.5, qPrintable(text.name()));
                QVERIFY2(contrast(text, c.window) >= 4.5, qPrintable(text.name()));
            }
            for (int i = 0; i <= 10; ++i) {
                const QColor fill = Theme::instance().magnitude(i / 10.0);
                QVERIFY(contrast(Theme::instance().textOn(fill), fill) >= 4.49);
            }
        }
    }

    void themeChangeIsAnnouncedOnce() {
        Theme::instance().setMode(ThemeMode::Light);
        QSignalSpy spy(&Theme::instance(), &Theme::themeChanged);
        Theme::instance().setMode(ThemeMode::Dark);
        Theme::instance().setMode(ThemeMode::Dark);
        QCOMPARE(spy.count(), 1);
        QCOMPARE(QApplication::palette().color(QPalette::Window), Theme::instance().colours().window);
    }

    void tableCopiesAsTsvCsvAndMarkdown() {
        QStandardItemModel model;
        fill(model);
        TableView table;
        table.setModel(&model);
        table.sortByColumn(0, Qt::DescendingOrder);
        table.selectAll();
        QTest::keyClick(&table, Qt::Key_C, Qt::ControlModifier);
        QCOMPARE(QApplication::clipboard()->text(), QString("Layer\tTime (ms)\nconv|1\t1.5\nconv,2\t0.25\n"));
        QCOMPARE(tableText(table, table.rowsForCopy(), TableTextFormat::Csv),
                 QString("Layer,Time (ms)\nconv|1,1.5\n\"conv,2\",0.25\n"));
        QVERIFY(tableText(table, table.rowsForCopy(), TableTextFormat::Markdown).contains("| conv\\|1 | 1.5 |"));
        QVERIFY(tableText(table, table.rowsForCopy(), TableTextFormat::Markdown).contains("| --- | ---: |"));
    }

    void footerAddsUpTheSelection() {
        QStandardItemModel model;
        fill(model);
        TablePane pane;
        pane.setModel(&model);
        auto* footer = pane.findChild<QLabel*>("tableFooter");
        QVERIFY(footer->text().contains("Time (ms) 1.75"));
        pane.table().selectRow(0);
        QVERIFY(footer->text().startsWith("1 of 2 rows"));
    }

    void segmentsOneAndAny() {
        SegmentedControl one;
        for (const char* text : {"Parsed", "Fused", "Engine"}) one.addSegment(text);
        one.resize(one.sizeHint());
        QSignalSpy changed(&one, &SegmentedControl::currentChanged);
        QTest::mouseClick(&one, Qt::LeftButton, {}, QPoint(one.width() - 6, one.height() / 2));
        QCOMPARE(one.current(), 2);
        QTest::keyClick(&one, Qt::Key_Left);
        QCOMPARE(one.current(), 1);
        QCOMPARE(changed.count(), 2);
        SegmentedControl any(SegmentedControl::Mode::Any);
        any.addSegment("FP32");
        any.addSegment("INT8");
        any.setSegmentEnabled(1, false);
        any.resize(any.sizeHint());
        QTest::mouseClick(&any, Qt::LeftButton, {}, QPoint(6, 6));
        QTest::mouseClick(&any, Qt::LeftButton, {}, QPoint(any.width() - 6, 6));
        QVERIFY(any.isOn(0));
        QVERIFY(!any.isOn(1));
    }

    void filterWaitsForAPause() {
        FilterBar bar("filter");
        QSignalSpy spy(&bar, &FilterBar::filterChanged);
        QTest::keyClicks(&bar.edit(), "conv");
        QCOMPARE(spy.count(), 0);
        QTRY_COMPARE(spy.count(), 1);
        QCOMPARE(spy.front().front().toString(), QString("conv"));
        QTest::keyClick(&bar.edit(), Qt::Key_Escape);
        QCOMPARE(spy.count(), 2);
    }

    void paletteFindsAndRuns() {
        QVERIFY(fuzzyScore("bp", "Build and profile") > fuzzyScore("bp", "Problems below par"));
        QCOMPARE(fuzzyScore("xyz", "Build and profile"), 0);
        // Whole words further on count more than single letters before them.
        QVERIFY(fuzzyScore("input data", "Setting: Input data") > fuzzyScore("input data", "Undo input data digits.npz"));
        QWidget window;
        QAction build("&Build and profile"), open("&Open…");
        QSignalSpy ran(&build, &QAction::triggered);
        CommandPalette palette(&window);
        palette.showFor({&open, &build});
        auto* edit = palette.findChild<QLineEdit*>();
        QTest::keyClicks(edit, "prof");
        QTest::keyClick(edit, Qt::Key_Return);
        QCOMPARE(ran.count(), 1);
        QVERIFY(!palette.isVisible());
    }

    void cancelIsAskedOnce() {
        ProgressStrip strip;
        strip.setProgress("Build", "timing", 0.4, 12);
        QSignalSpy spy(&strip, &ProgressStrip::cancelRequested);
        auto* cancel = strip.findChild<QPushButton*>();
        QTest::mouseClick(cancel, Qt::LeftButton);
        QTest::mouseClick(cancel, Qt::LeftButton);
        QCOMPARE(spy.count(), 1);
    }
};

QTEST_MAIN(WidgetsTest)
#include "widgets_test.moc"
