#include "views/pages/compare/answer_tile.h"

#include <QLabel>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

#include "views/widgets/elided_label.h"
#include "views/widgets/theme.h"

using namespace strobe;
using Verdict = CompareFigure::Verdict;

class AnswerTileTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { Theme::instance().install(); }

    void colourAndSignOfEachAnswer_data() {
        QTest::addColumn<Verdict>("verdict");
        QTest::addColumn<bool>("isDoubtful");
        QTest::addColumn<QString>("headline");
        QTest::newRow("better") << Verdict::Better << false << "✓ BF16 is faster";
        QTest::newRow("worse") << Verdict::Worse << false << "✗ BF16 is faster";
        QTest::newRow("doubtful") << Verdict::None << true << "! BF16 is faster";
        QTest::newRow("plain") << Verdict::None << false << "BF16 is faster";
    }
    void colourAndSignOfEachAnswer() {
        QFETCH(Verdict, verdict);
        QFETCH(bool, isDoubtful);
        QFETCH(QString, headline);
        Theme::instance().setMode(ThemeMode::Dark);
        AnswerTile tile;
        tile.resize(400, 48);
        tile.setAnswer({"BF16 is faster", "5 ms against 10 ms", verdict, isDoubtful});
        for (const ThemeMode mode : {ThemeMode::Light, ThemeMode::Dark, ThemeMode::Light}) {
            Theme::instance().setMode(mode);
            tile.show();
            QVERIFY(QTest::qWaitForWindowExposed(&tile));
            const ThemeColours& c = Theme::instance().colours();
            const QColor bar = verdict == Verdict::Better ? c.good : verdict == Verdict::Worse ? c.bad : isDoubtful ? c.warning : c.secondary;
            const QImage picture = tile.grab().toImage();
            QCOMPARE(picture.pixelColor(1, 24).name(), bar.name());
            QCOMPARE(picture.pixelColor(396, 3).name(), Theme::instance().tint(bar, 0.06).name());
            const auto* first = tile.findChild<QLabel*>();
            QCOMPARE(first->text(), headline);
            QCOMPARE(first->palette().color(QPalette::WindowText).name(), (verdict == Verdict::None && !isDoubtful ? c.text : bar).name());
        }
        QCOMPARE(tile.accessibleName(), QString("BF16 is faster"));
    }

    void aRemedyIsOfferedWhileTheAnswerIsDoubtful() {
        AnswerTile tile;
        tile.setRemedy("Measure again");
        auto* button = tile.findChild<QPushButton*>();
        tile.setAnswer({"BF16 is faster", "", Verdict::Better, false});
        QVERIFY(button->isHidden());
        tile.setAnswer({"Speed is doubtful", "", Verdict::None, true});
        QVERIFY(!button->isHidden());
        QSignalSpy asked(&tile, &AnswerTile::remedyRequested);
        tile.show();
        QTest::mouseClick(button, Qt::LeftButton);
        QCOMPARE(asked.size(), 1);
    }

    void aLongDetailWrapsAndIsWholeInItsTip() {
        AnswerTile tile;
        const QString detail = "43.2 ms ± 0.5 against 478 ms ± 90 · FP32 was measured on a busy machine, build it again: "
                               "single runs scatter by 169 % around the median";
        tile.setAnswer({"Speed is doubtful", detail, Verdict::None, true});
        const auto labels = tile.findChildren<ElidedLabel*>();
        const ElidedLabel* second = labels.at(1);
        const int line = second->fontMetrics().lineSpacing();
        QCOMPARE(second->heightForWidth(2000), line);
        QCOMPARE(second->heightForWidth(500), 2 * line);
        QCOMPARE(second->heightForWidth(200), 3 * line);
        for (const int width : {2000, 600, 200}) {
            QVERIFY(tile.hasHeightForWidth());
            tile.resize(width, tile.heightForWidth(width));
            tile.show();
            QVERIFY(QTest::qWaitForWindowExposed(&tile));
            QCOMPARE(second->isElided(), width == 200);
            QCOMPARE(second->height(), width == 2000 ? line : width == 600 ? 2 * line : 3 * line);
        }
    }
};

QTEST_MAIN(AnswerTileTest)
#include "answer_tile_test.moc"
